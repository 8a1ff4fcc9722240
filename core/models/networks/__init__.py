"""Networks of one modality each, and of several; all are fitted by `core.training.loop`."""
