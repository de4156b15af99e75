"""Start the server of this package."""

from examples.provider_sink.server import main

main()
