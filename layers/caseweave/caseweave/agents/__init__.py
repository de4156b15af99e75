"""The agents' API behind its routes: who may do what, what is asked, what is shown."""
