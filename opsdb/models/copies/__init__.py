"""Where the bytes are: the copies, their fixity checks, and what people decide about their deletion."""
