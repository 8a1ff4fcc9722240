"""One file per thing a person does; where science meets storage."""
