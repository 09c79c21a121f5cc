"""How fast flowlib and the page are, and against whom: `make benchmark`."""
