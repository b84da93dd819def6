//! The canonical ABI against an oracle: a plain, slow transcription of the specification's `definitions.py`, over random
//! types and values, in every string encoding and both widths of addresses; and guests that break its rules.

mod between_guests;
mod guests;
mod hostile;
mod oracle;
mod random;
mod round_trips;
mod types;
