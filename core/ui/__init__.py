"""Widgets the pages use: map, spectrum view, thumbnails, keys. Streamlit lives here and in pages/."""
