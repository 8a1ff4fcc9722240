"""The Query page."""

import streamlit as st

st.title("Query")
