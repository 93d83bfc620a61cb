"""Running documents: each asserts what it claims."""
