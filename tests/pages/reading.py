"""What a page says, and pressing its buttons."""

from streamlit.testing.v1 import AppTest


def words(test: AppTest) -> str:
    """Everything a page says in text, labels and figures."""
    kinds = (test.title, test.subheader, test.markdown, test.caption, test.error, test.warning, test.info, test.code)
    spoken = [e.value for kind in kinds for e in kind]
    named = [e.label for kind in (test.button, test.checkbox, test.selectbox, test.text_input, test.metric, test.toggle) for e in kind]
    return "\n".join(map(str, spoken + named + [m.value for m in test.metric]))


def fine(test: AppTest) -> bool:
    """Neither Streamlit nor the guard had an error to show."""
    return not test.exception and not test.error


def press(test: AppTest, label: str) -> None:
    next(b for b in test.button if b.label == label).click().run()
