"""The world outside, played against the local stack: customers and providers as they really call.

Signs like the providers do, from their documents, and shares no code with the adapters that check
those signatures.
"""
