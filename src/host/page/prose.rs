//! Prose in comments and in help: Markdown, of which nothing is markup by itself and nothing loads anything.

use pulldown_cmark::html::push_html;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::text::{escaped, public, visible};

/// Blocks for a page's body.
pub fn html(text: &str) -> String {
    let text = public(text);
    markup(Parser::new_ext(&text, Options::ENABLE_TABLES))
}

/// The words of a line, which are no list and no heading whatever they begin with.
pub fn inline(text: &str) -> String {
    // Behind a word there are no blocks.
    let line = format!("x {}", text.replace('\n', " "));
    let mut is_first = true;
    let words = Parser::new(&line).filter_map(|event| match event {
        Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => None,
        Event::Text(text) if std::mem::take(&mut is_first) => {
            let rest = text.strip_prefix('x').unwrap_or(&text).trim_start();
            Some(Event::Text(rest.to_string().into()))
        }
        event => Some(event),
    });
    markup(words)
}

fn markup<'a>(events: impl Iterator<Item = Event<'a>>) -> String {
    // Of links that are open, whether each is one on the page.
    let mut links = Vec::new();
    let kept = events.filter_map(|event| {
        let shown = |text: CowStr<'a>| CowStr::from(visible(&text));
        Some(match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => Event::Text(shown(text)),
            Event::Code(text) => Event::Code(shown(text)),
            // A line of a comment ends where it is full.
            Event::SoftBreak => Event::Text(" ".into()),
            Event::Start(Tag::Heading {
                id, classes, attrs, ..
            }) => Event::Start(Tag::Heading {
                level: HeadingLevel::H3,
                id,
                classes,
                attrs,
            }),
            Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(HeadingLevel::H3)),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let is_page = ["https://", "http://"]
                    .iter()
                    .any(|scheme| dest_url.starts_with(scheme));
                links.push(is_page);
                let open = format!("<a href=\"{}\" rel=\"noreferrer\">", escaped(&dest_url));
                return is_page.then(|| Event::InlineHtml(open.into()));
            }
            Event::End(TagEnd::Link) => {
                return links.pop()?.then(|| Event::InlineHtml("</a>".into()));
            }
            // A picture would be loaded: its words are left.
            Event::Start(Tag::Image { .. } | Tag::HtmlBlock)
            | Event::End(TagEnd::Image | TagEnd::HtmlBlock) => {
                return None;
            }
            event => event,
        })
    });
    let mut out = String::new();
    push_html(&mut out, kept);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_words() {
        for (text, expected) in [
            ("a\nb\n\nc", "<p>a b</p>\n<p>c</p>\n"),
            ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n"),
            (
                "    x < 1\n\n      y",
                "<pre><code>x &lt; 1\n\n  y</code></pre>\n",
            ),
            ("## A *b*", "<h3>A <em>b</em></h3>\n"),
            ("2 * 3 * 4, a_b_c, **x", "<p>2 * 3 * 4, a_b_c, **x</p>\n"),
            (
                "[x](https://h/?a=1&b=2) [y](javascript:z) <https://h/>",
                "<p><a href=\"https://h/?a=1&amp;b=2\" rel=\"noreferrer\">x</a> y \
                 <a href=\"https://h/\" rel=\"noreferrer\">https://h/</a></p>\n",
            ),
            (
                "a <script>`<b>`",
                "<p>a &lt;script&gt;<code>&lt;b&gt;</code></p>\n",
            ),
            (
                "<script>\nalert(1)\n</script>",
                "&lt;script&gt;\nalert(1)\n&lt;/script&gt;",
            ),
            ("![a map](https://h/x.png)", "<p>a map</p>\n"),
            ("a\u{202E}b", "<p>a\u{FFFD}b</p>\n"),
        ] {
            assert_eq!(html(text), expected, "{text}");
        }
    }

    #[test]
    fn a_line_is_no_block() {
        for (text, expected) in [
            ("1. Open *it*", "1. Open <em>it</em>"),
            ("# Open", "# Open"),
            ("`a` < b", "<code>a</code> &lt; b"),
            ("- a\n- b", "- a - b"),
            ("", ""),
        ] {
            assert_eq!(inline(text), expected, "{text}");
        }
    }
}
