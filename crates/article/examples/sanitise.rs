//! How long sanitising takes, for bodies as they come in and as they go out again.
//!
//! `cargo run --release -p article --example sanitise`

#![expect(clippy::print_stdout, reason = "a measurement prints the times it took")]

use std::time::{Duration, Instant};

use article::sanitise;

fn main() {
    let paragraph = "<p>The harbour <b>reopened</b> on Monday &amp; the first <a href=\"https://news.example/harbour?a=1&amp;b=2\">ship</a> \
                     left at noon, 港口周一重新开放，第一艘船中午离港。</p>\n";
    let nested = |depth: usize| format!("{}words{}", "<div>".repeat(depth), "</div>".repeat(depth));
    let cases = [
        ("5 KB article", paragraph.repeat(5_000 / paragraph.len())),
        ("50 KB article", paragraph.repeat(50_000 / paragraph.len())),
        ("50 KB plain", format!("<p>{}</p>", "words and words ".repeat(50_000 / 16))),
        ("400 kB entities", "a &amp; b".repeat(400_000 / 9)),
        ("400 kB ampersands", "a & b".repeat(400_000 / 5)),
        ("nested 50 deep", nested(50).repeat(100)),
        ("nested 1000 deep", nested(1000)),
        ("50 KB sloppy", "<P>one<br/>two<font>three</font><script>x</script><li>four".repeat(50_000 / 58)),
    ];
    println!("{:20} {:>12} {:>12}", "", "first", "again");
    for (name, html) in &cases {
        let clean = sanitise(html, None).html;
        println!("{name:20} {:>12.1?} {:>12.1?}", fastest(html), fastest(&clean));
    }
}

/// The fastest of several runs: what the work costs, without what else the machine did.
fn fastest(html: &str) -> Duration {
    (0..7)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(sanitise(std::hint::black_box(html), None));
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}
