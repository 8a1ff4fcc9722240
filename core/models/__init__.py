"""Networks and classical regressors: arrays in, predictions out; one registry."""
