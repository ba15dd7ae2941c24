// SPDX-License-Identifier: GPL-2.0
//! The colours of the page's charts: seen on their background, and told apart by all.

/// Red, green and blue as they shine, 0 to 1.
type Light = [f64; 3];

/// What eyes of each sort see (Machado, Oliveira, Fernandes 2009): all colours, no red, no green, no blue.
const EYES: [[Light; 3]; 4] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
];

fn light(hex: &str) -> Light {
    [0, 2, 4].map(|i| {
        let c = f64::from(u8::from_str_radix(&hex[i..i + 2], 16).expect("hex")) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    })
}

fn times(matrix: &[Light; 3], v: Light) -> Light {
    [0, 1, 2].map(|i| matrix[i].iter().zip(v).map(|(a, b)| a * b).sum())
}

/// The contrast of WCAG 2.
fn contrast(a: Light, b: Light) -> f64 {
    let shines = |c: Light| 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] + 0.05;
    let (a, b) = (shines(a), shines(b));
    a.max(b) / a.min(b)
}

/// Oklab: distances in it are as they look.
fn oklab(c: Light) -> Light {
    let cones = times(
        &[
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ],
        c.map(|x| x.clamp(0.0, 1.0)),
    );
    times(
        &[
            [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
        ],
        cones.map(f64::cbrt),
    )
}

/// The themes of the style: light, dark.
fn themes() -> Vec<(Light, Vec<Light>, Vec<Light>)> {
    let style = include_str!("../../src/html/style.css");
    let colour = |theme: &str, name: &str| {
        let (_, rest) = theme.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("no {name}"));
        light(&rest[..6])
    };
    style
        .split(":root {")
        .skip(1)
        .map(|theme| {
            let series = (0..9).map(|i| colour(theme, &format!("s{i}"))).collect();
            let texts = ["front", "dim", "link", "limit"].map(|name| colour(theme, name)).to_vec();
            (colour(theme, "back"), series, texts)
        })
        .collect()
}

#[test]
fn seen_and_read_on_their_background() {
    let themes = themes();
    assert_eq!(themes.len(), 2);
    for (back, series, texts) in themes {
        for (i, colour) in series.into_iter().enumerate() {
            assert!(contrast(colour, back) >= 3.0, "s{i}: {}", contrast(colour, back));
        }
        for (i, colour) in texts.into_iter().enumerate() {
            assert!(contrast(colour, back) >= 4.5, "text {i}: {}", contrast(colour, back));
        }
    }
}

#[test]
fn told_apart_by_all() {
    for (_, series, _) in themes() {
        for eyes in &EYES {
            let seen: Vec<Light> = series.iter().map(|colour| oklab(times(eyes, *colour))).collect();
            for (i, a) in seen.iter().enumerate() {
                for (j, b) in seen[..i].iter().enumerate() {
                    let apart = a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
                    assert!(apart > 0.12, "s{i} and s{j} are {apart:.3} apart");
                }
            }
        }
    }
}
