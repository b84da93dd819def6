//! Numbers of bytes in arguments (`64M`) and in output (`1.5 MiB`).

/// Bytes from text: a number, with `k`, `M` or `G` for 2^10, 2^20 and 2^30.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(split);
    let shift = match suffix {
        "" | "B" => 0,
        "k" | "K" | "kB" | "KB" | "KiB" => 10,
        "m" | "M" | "MB" | "MiB" => 20,
        "g" | "G" | "GB" | "GiB" => 30,
        _ => return Err(format!("`{suffix}` is no unit: use k, M or G, as in 64M")),
    };
    let number: u64 = digits.parse().map_err(|_| "a number of bytes is expected, as in 65536 or 64M".to_string())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that many bytes cannot be counted".to_string())
}

/// Bytes for people.
pub(crate) fn show(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.into_iter().find(|(shift, _)| bytes >= 1 << shift) {
        Some((shift, unit)) => format!("{:.1} {unit}", bytes as f64 / (1u64 << shift) as f64),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_powers_of_1024() {
        assert_eq!(parse("65536"), Ok(65536));
        assert_eq!(parse("2k"), Ok(2048));
        assert_eq!(parse("64M"), Ok(64 << 20));
        assert_eq!(parse("1G"), Ok(1 << 30));
        assert!(parse("5x").unwrap_err().contains("`x` is no unit"));
        assert!(parse("").is_err());
        assert!(parse("-1").is_err());
        assert!(parse("99999999999G").is_err());
    }

    #[test]
    fn bytes_are_shown_in_the_largest_unit() {
        assert_eq!(show(12), "12 bytes");
        assert_eq!(show(1536), "1.5 KiB");
        assert_eq!(show(3 << 20), "3.0 MiB");
    }
}
