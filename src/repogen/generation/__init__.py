"""The loop that makes datasets, resumes them and makes single images again."""
