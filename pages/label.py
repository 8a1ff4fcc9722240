"""The Label page."""

import streamlit as st

st.title("Label")
