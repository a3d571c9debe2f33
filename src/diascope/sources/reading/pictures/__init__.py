"""Pictures that are coded as a whole: what they say before they are decoded, and what they are after."""
