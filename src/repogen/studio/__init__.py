"""A page to look at scenes, change them by hand and save them: `repogen studio`."""
