"""Neural networks: every layer and loss is a composition of recorded operations."""
