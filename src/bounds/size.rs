//! Sizes as people write them.

/// Bytes from "2GiB", "500 MB", "1.5g"; a bare number is bytes.
///
/// # Errors
/// When it is none, or less than 1 MiB; the words say which.
pub fn parse_size(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => return Err("a size is a number with a unit, such as 512MiB or 2GiB".to_string()),
    };
    match text[..digits].parse::<f64>() {
        Ok(number) if number * unit >= 1024.0 * 1024.0 => Ok((number * unit) as usize),
        Ok(_) => Err("less than 1MiB is too little to work with".to_string()),
        Err(_) => Err("a size is a number with a unit, such as 512MiB or 2GiB".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size("1.5 g"), Ok(3 << 29));
        assert_eq!(parse_size("500MB"), Ok(500_000_000));
        for wrong in ["", "GiB", "2 parsecs", "-1GiB", "3"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
