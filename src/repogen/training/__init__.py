"""Fine-tuning pose estimators: options, optimizer, one readable loop."""
