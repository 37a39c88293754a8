"""The morning brief: what happened in the night, as a page and a picture for people."""
