//! Text into lines of cells, as RFC 4180 says, and more: a quote within an unquoted cell stands for itself, and so does what follows
//! the quotes of a quoted one; lines end with `\n`, `\r\n` or `\r`; lines without any character are skipped.

use memchr::{memchr, memchr_iter, memchr3, memrchr};

/// Goes over text that begins with a line.
pub(super) struct Records<'a> {
    text: &'a str,
    delimiter: u8,
    at: usize,
    line: u64,
    cells: Vec<Cell>,
    /// Quoted cells that are not as they stand in the text.
    unquoted: String,
}

/// Where a cell is.
#[derive(Clone, Copy)]
struct Cell {
    from: usize,
    to: usize,
    unquoted: bool,
}

impl<'a> Records<'a> {
    /// `line` is the number of the text's first line.
    pub fn new(text: &'a str, delimiter: u8, line: u64) -> Records<'a> {
        Records {
            text,
            delimiter,
            at: 0,
            line,
            cells: Vec::new(),
            unquoted: String::new(),
        }
    }

    /// How many cells the record has.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    #[inline]
    pub fn cell(&self, index: usize) -> &str {
        let cell = self.cells[index];
        match cell.unquoted {
            false => &self.text[cell.from..cell.to],
            true => &self.unquoted[cell.from..cell.to],
        }
    }

    /// Goes to the next record; the line on which it begins, None at the end.
    pub fn next(&mut self) -> Option<u64> {
        let bytes = self.text.as_bytes();
        self.cells.clear();
        self.unquoted.clear();
        while let Some(end @ (b'\n' | b'\r')) = bytes.get(self.at) {
            self.line += u64::from(*end == b'\n');
            self.at += 1;
        }
        if self.at == bytes.len() {
            return None;
        }
        let line = self.line;
        loop {
            let more = match bytes.get(self.at) {
                Some(b'"') => self.quoted(),
                _ => self.plain(),
            };
            if !more {
                return Some(line);
            }
        }
    }

    /// True where a delimiter follows.
    #[inline]
    fn plain(&mut self) -> bool {
        let from = self.at;
        let to = self.end_from(from);
        self.cells.push(Cell {
            from,
            to,
            unquoted: false,
        });
        self.pass(to)
    }

    fn end_from(&self, from: usize) -> usize {
        let rest = &self.text.as_bytes()[from..];
        memchr3(self.delimiter, b'\n', b'\r', rest).map_or(self.text.len(), |length| from + length)
    }

    /// Goes behind the end of a cell.
    #[inline]
    fn pass(&mut self, end: usize) -> bool {
        let bytes = self.text.as_bytes();
        self.at = (end + 1).min(bytes.len());
        match bytes.get(end) {
            Some(b'\n') => self.line += 1,
            Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => {
                self.line += 1;
                self.at += 1;
            }
            Some(b'\r') | None => {}
            Some(_) => return true,
        }
        false
    }

    fn quoted(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let mut piece = self.at + 1;
        let from = self.unquoted.len();
        let (to, in_place) = loop {
            let Some(quote) = memchr(b'"', &bytes[piece..]).map(|length| piece + length) else {
                // The text ends within quotes.
                break (bytes.len(), bytes.len());
            };
            if bytes.get(quote + 1) != Some(&b'"') {
                break (quote, quote + 1);
            }
            self.unquoted.push_str(&self.text[piece..=quote]);
            piece = quote + 2;
        };
        let end = self.end_from(in_place);
        self.line += memchr_iter(b'\n', &bytes[self.at..in_place]).count() as u64;
        let cell = if self.unquoted.len() == from && end == in_place {
            Cell {
                from: piece,
                to,
                unquoted: false,
            }
        } else {
            self.unquoted.push_str(&self.text[piece..to]);
            self.unquoted.push_str(&self.text[in_place..end]);
            Cell {
                from,
                to: self.unquoted.len(),
                unquoted: true,
            }
        };
        self.cells.push(cell);
        self.pass(end)
    }
}

/// Behind the last record that is surely whole in bytes that begin with one; None where there is none.
pub(super) fn last_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let (mut from, mut last) = (0, None);
    // The last line end of a stretch without open quotes. A `\r` may be half of one.
    let within = |from: usize, to: usize| {
        let stretch = &bytes[from..to];
        let end = memrchr(b'\n', stretch)
            .or_else(|| memrchr(b'\r', stretch).filter(|end| from + end + 1 < bytes.len()));
        end.map(|end| from + end + 1)
    };
    let mut stretch = 0;
    loop {
        let Some(quote) = memchr(b'"', &bytes[from..]).map(|length| from + length) else {
            return within(stretch, bytes.len()).or(last);
        };
        let opens = quote == 0 || matches!(bytes[quote - 1], b'\n' | b'\r') || bytes[quote - 1] == delimiter;
        if !opens || quote < from {
            from = quote + 1;
            continue;
        }
        last = within(stretch, quote).or(last);
        from = quote + 1;
        loop {
            let Some(next) = memchr(b'"', &bytes[from..]).map(|length| from + length) else {
                return last;
            };
            from = next + 1;
            match bytes.get(from) {
                Some(b'"') => from += 1,
                Some(_) => break,
                None => return last,
            }
        }
        stretch = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ours(text: &str) -> Vec<Vec<String>> {
        let mut records = Records::new(text, b',', 1);
        let mut out = Vec::new();
        while records.next().is_some() {
            out.push((0..records.len()).map(|i| records.cell(i).to_string()).collect());
        }
        out
    }

    fn theirs(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let cells = |record: csv::StringRecord| record.iter().map(str::to_string).collect();
        reader
            .into_records()
            .map(|record| cells(record.unwrap()))
            .collect()
    }

    #[test]
    fn lines_are_counted() {
        let mut records = Records::new("a\r\n\n\"b\nb\"\nc\r\rd", b',', 1);
        let lines: Vec<u64> = std::iter::from_fn(|| records.next()).collect();
        assert_eq!(lines, [1, 3, 5, 5]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn cells_are_those_of_the_crate_csv(text in "[a,\"\n\r é]{0,24}") {
            prop_assert_eq!(ours(&text), theirs(&text));
        }

        #[test]
        fn text_may_be_cut_at_ends_of_records(text in "[a,\"\n\r é]{0,40}", cut in 0usize..60) {
            let bytes = &text.as_bytes()[..cut.min(text.len())];
            if let Some(end) = last_end(bytes, b',') {
                let mut parts = ours(&text[..end]);
                parts.extend(ours(&text[end..]));
                prop_assert_eq!(parts, ours(&text));
            }
        }
    }
}
