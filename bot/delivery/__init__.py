"""From a stem's link to an audio in the chat."""
