"""Networks for one modality each; all are fitted by `core.training.loop`."""
