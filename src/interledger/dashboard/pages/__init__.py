"""One module a page, or a few that belong together: what is asked of the API, and which template shows it."""
