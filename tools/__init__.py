"""Commands that a person runs, and what they share: see CONTRIBUTING.md."""
