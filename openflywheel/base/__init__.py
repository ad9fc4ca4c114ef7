"""The words every room speaks: nouns, the plugin door, errors, settings. Imports nothing from the rooms."""
