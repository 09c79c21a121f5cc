"""What the pages of this book need beyond jupyter-book and the theme; ``book`` is the extension.

It imports nothing: who wants one module does not wait for torch and Sphinx.
"""
