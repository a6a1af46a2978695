//! Plots as SVG.

use std::fmt::Write;

use crate::{
    contender::{self, Contender},
    report::{Results, Spread},
    scenario::Scenario,
};

const ROW: f64 = 16.0;
const LABELS: f64 = 70.0;
const BARS: f64 = 560.0;
const WIDTH: f64 = 760.0;

/// A group of bars for each scenario of a project; within a group the longest bar is the slowest contender's.
pub fn plot(project: &str, results: &Results) -> String {
    let mut body = String::new();
    let mut y = 24.0;
    for scenario in Scenario::ALL {
        let of = |contender: Contender| Some((contender, results.seconds(project, contender, scenario)?));
        let bars: Vec<(Contender, Spread)> = contender::ALL.into_iter().filter_map(of).collect();
        if bars.len() < 2 {
            continue;
        }
        let title = scenario.title().replace('`', "");
        let _ = writeln!(body, "<text x=\"8\" y=\"{y:.0}\" font-weight=\"bold\">{title}</text>");
        y += 6.0;
        let longest = bars.iter().map(|(_, spread)| spread.max).fold(0.0, f64::max);
        for (contender, spread) in bars {
            let at = |seconds: f64| LABELS + seconds / longest * BARS;
            let middle = y + ROW / 2.0;
            let _ = writeln!(
                body,
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\
                 <rect x=\"{LABELS}\" y=\"{:.0}\" width=\"{:.1}\" height=\"{:.0}\" fill=\"{}\"/>\
                 <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.0}\" y2=\"{middle:.0}\" stroke=\"#333\"/>\
                 <text x=\"{:.1}\" y=\"{:.0}\">{:.2} s</text>",
                LABELS - 6.0,
                y + 12.0,
                contender.name(),
                y + 2.0,
                at(spread.median) - LABELS,
                ROW - 4.0,
                colour(contender),
                at(spread.min),
                at(spread.max),
                at(spread.max) + 6.0,
                y + 12.0,
                spread.median,
            );
            y += ROW;
        }
        y += 24.0;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y:.0}\" viewBox=\"0 0 {WIDTH} {y:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn colour(contender: Contender) -> &'static str {
    match contender {
        Contender::Poetry => "#c0504d",
        Contender::Pip => "#d99a3c",
        Contender::Uv => "#7d6bb0",
        Contender::DropIn => "#6aa2d8",
        Contender::Ours => "#2c6fb5",
    }
}
