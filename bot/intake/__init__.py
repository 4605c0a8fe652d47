"""What comes in from Telegram, and how fast answers may go out."""
