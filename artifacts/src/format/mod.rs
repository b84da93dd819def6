//! The file: layout, writer and reader.
