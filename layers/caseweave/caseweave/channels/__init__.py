"""The channels: one file a provider; each verifies, parses and (where it can) sends.

Pure: no AWS, no clock, no environment. Whoever knows one of these files knows all of them.
"""
