"""The rules of a support desk: standard library only, no clock, no environment, no I/O."""
