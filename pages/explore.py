"""The Explore page."""

import streamlit as st

st.title("Explore")
