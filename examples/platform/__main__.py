"""Start the server of this package."""

from examples.platform.server import main

main()
