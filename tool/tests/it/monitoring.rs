// SPDX-License-Identifier: GPL-2.0
//! The dashboard and the alert rules in scripts/package/monitoring ask only for metrics that the export has, with
//! labels that these have.

use std::{collections::BTreeSet, fs, path::Path};

use promql_parser::parser::{
    AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, MatrixSelector, VectorSelector, parse,
};
use reclaimwb::export::{Family, Kind};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

type Labels = BTreeSet<String>;
type Checked<T> = Result<T, String>;

/// Labels that Prometheus gives each sample.
const OF_TARGET: [&str; 2] = ["job", "instance"];

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/package/monitoring").join(name);
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

fn names(labels: &[String]) -> Labels {
    labels.iter().cloned().collect()
}

fn within(wanted: &Labels, there: &Labels, what: &str) -> Checked<()> {
    match wanted.difference(there).next() {
        Some(label) => Err(format!("{what}: there is no label {label}, only {there:?}")),
        None => Ok(()),
    }
}

/// Labels of the samples that an expression gives; `None`: a number, which has none.
fn labels(expr: &Expr) -> Checked<Option<Labels>> {
    match expr {
        Expr::VectorSelector(selector) => {
            let (found, kind) = selected(selector)?;
            // Since when it counts is nobody's business.
            if kind != Kind::Gauge {
                return Err(format!("{:?} is counted: ask for its rate", selector.name));
            }
            Ok(Some(found))
        }
        Expr::MatrixSelector(MatrixSelector { vs, .. }) => Ok(Some(selected(vs)?.0)),
        Expr::Aggregate(aggregate) => aggregated(aggregate).map(Some),
        Expr::Binary(binary) => combined(binary),
        Expr::Call(call) => called(call),
        Expr::Paren(inner) => labels(&inner.expr),
        Expr::Unary(inner) => labels(&inner.expr),
        Expr::Subquery(inner) => labels(&inner.expr),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(None),
        Expr::Extension(_) => Err("an extension".into()),
    }
}

fn selected(selector: &VectorSelector) -> Checked<(Labels, Kind)> {
    let name = selector.name.as_deref().ok_or("a selector without a name")?;
    let row = Family::of_sample(name).ok_or_else(|| format!("{name} is not exported"))?.row();
    if row.kind == Kind::Histogram && name == row.name {
        return Err(format!("{name} is a histogram: ask for its _bucket, _sum or _count"));
    }
    let mut there: Labels = row.labels.iter().chain(&OF_TARGET).map(|&label| label.to_owned()).collect();
    if name.ends_with("_bucket") {
        there.insert("le".into());
    }
    let matchers = selector.matchers.matchers.iter().chain(selector.matchers.or_matchers.iter().flatten());
    within(&matchers.map(|matcher| matcher.name.clone()).collect(), &there, name)?;
    Ok((there, row.kind))
}

fn aggregated(aggregate: &AggregateExpr) -> Checked<Labels> {
    let inner = labels(&aggregate.expr)?.ok_or("an aggregation of a number")?;
    match &aggregate.modifier {
        None => Ok(Labels::new()),
        Some(LabelModifier::Include(by)) => {
            within(&names(&by.labels), &inner, "by")?;
            Ok(names(&by.labels))
        }
        Some(LabelModifier::Exclude(without)) => {
            within(&names(&without.labels), &inner, "without")?;
            Ok(inner.difference(&names(&without.labels)).cloned().collect())
        }
    }
}

fn combined(binary: &BinaryExpr) -> Checked<Option<Labels>> {
    let (Some(left), Some(right)) = (labels(&binary.lhs)?, labels(&binary.rhs)?) else {
        return Ok(labels(&binary.lhs)?.or(labels(&binary.rhs)?));
    };
    let matching = binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref());
    if let Some(matching) = matching {
        let wanted = names(&matching.labels().labels);
        within(&wanted, &left, "left of an operator")?;
        within(&wanted, &right, "right of an operator")?;
    } else if left != right {
        return Err(format!("an operator never finds a match between {left:?} and {right:?}"));
    }
    match matching {
        Some(LabelModifier::Include(on)) if !binary.op.is_set_operator() => Ok(Some(names(&on.labels))),
        _ => Ok(Some(left)),
    }
}

fn called(call: &Call) -> Checked<Option<Labels>> {
    let name = call.func.name;
    if let (true, [arg]) = (["rate", "irate", "increase"].contains(&name), &call.args.args[..]) {
        let Expr::MatrixSelector(MatrixSelector { vs, .. }) = arg.as_ref() else {
            return Err(format!("{name} of no selector"));
        };
        return match selected(vs)? {
            (_, Kind::Gauge) => Err(format!("{:?} goes up and down: it has no {name}", vs.name)),
            (found, _) => Ok(Some(found)),
        };
    }
    let mut found = None;
    for arg in &call.args.args {
        found = found.or(labels(arg)?);
    }
    if name == "histogram_quantile" && !found.as_mut().is_some_and(|found| found.remove("le")) {
        return Err("histogram_quantile without le".into());
    }
    Ok(found)
}

/// The labels that an expression gives, with Grafana's variables put in.
fn checked(expr: &str) -> Checked<Labels> {
    let expr = expr.replace("$__rate_interval", "5m");
    let said = |what: String| format!("{what}, in {expr}");
    let parsed = parse(&expr).map_err(said)?;
    labels(&parsed).map_err(said).map(Option::unwrap_or_default)
}

/// What stands between `{{` and `}}`.
fn braced(text: &str) -> Vec<&str> {
    text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or(rest).trim()).collect()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn dashboard() -> Value {
    serde_json::from_str(&file("grafana-dashboard.json")).expect("JSON")
}

#[test]
fn the_check_finds_what_is_wrong() {
    for (expr, says) in [
        ("reclaimwb_nothing", "reclaimwb_nothing is not exported"),
        ("rate(reclaimwb_windows_total{reason=\"x\"}[5m])", "no label reason"),
        ("sum by (cause) (rate(reclaimwb_windows_total[5m]))", "no label cause"),
        ("sum without (le) (rate(reclaimwb_windows_total[5m]))", "no label le"),
        ("reclaimwb_windows_total", "ask for its rate"),
        ("rate(reclaimwb_stall_seconds[5m])", "is a histogram"),
        ("rate(reclaimwb_zone_free_pages[5m])", "goes up and down"),
        ("histogram_quantile(0.5, sum by (origin) (rate(reclaimwb_stall_seconds_bucket[5m])))", "without le"),
        ("reclaimwb_zone_free_pages / reclaimwb_stack_size_bytes", "never finds a match"),
        ("reclaimwb_zone_free_pages and on (zone) reclaimwb_stack_size_bytes", "right of an operator"),
        ("sum(", "in sum("),
    ] {
        let said = checked(expr).expect_err(expr);
        assert!(said.contains(says), "{said}");
    }
    let by_cause =
        checked("sum by (cause) (rate(reclaimwb_stall_cause_seconds_total{job=~\"$job\"}[$__rate_interval]))");
    assert_eq!(by_cause, Ok(Labels::from(["cause".to_owned()])));
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let dashboard = dashboard();
    let mut asked = 0;
    for panel in list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row") {
        let title = text(&panel["title"]);
        assert!(!list(&panel["targets"]).is_empty(), "{title} shows nothing");
        for target in list(&panel["targets"]) {
            let found = checked(text(&target["expr"])).unwrap_or_else(|said| panic!("{title}: {said}"));
            for label in braced(text(&target["legendFormat"])) {
                assert!(found.contains(label), "{title}: the legend's {label} is none of {found:?}");
            }
            // Without these the variables at the top would do nothing.
            let expr = text(&target["expr"]);
            let selectors = expr.matches("reclaimwb_").count();
            assert_eq!(expr.matches("job=~\"$job\", instance=~\"$instance\"").count(), selectors, "{title}: {expr}");
            asked += selectors;
        }
    }
    assert!(asked > 60, "{asked}");
    for variable in list(&dashboard["templating"]["list"]).iter().filter(|variable| variable["type"] == "query") {
        // label_values(SELECTOR, LABEL)
        let query = text(&variable["query"]["query"]);
        let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).expect(query);
        let (selector, label) = inner.rsplit_once(", ").expect(query);
        assert!(checked(selector).expect(query).contains(label), "{query}");
    }
}

/// Grafana takes nearly anything; these are mistakes that it would show as an odd page.
#[test]
fn the_dashboard_is_well_formed() {
    let dashboard = dashboard();
    assert!(text(&dashboard["uid"]).len() <= 40 && !text(&dashboard["title"]).is_empty());
    assert!(dashboard["id"].is_null(), "an id is its place in one Grafana");
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in list(&dashboard["panels"]) {
        let title = text(&panel["title"]);
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: its id is there twice");
        let of = |key: &str| panel["gridPos"][key].as_u64().unwrap_or_else(|| panic!("{title}: no place"));
        assert!(of("x") + of("w") <= 24, "{title} is beside the page");
        for x in of("x")..of("x") + of("w") {
            for y in of("y")..of("y") + of("h") {
                assert!(taken.insert((x, y)), "{title} lies on another panel");
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        assert!(text(&panel["description"]).ends_with('.'), "{title} says not what it shows");
        assert!(!text(&panel["fieldConfig"]["defaults"]["unit"]).is_empty(), "{title} has no unit");
        let letters: BTreeSet<&str> = list(&panel["targets"]).iter().map(|target| text(&target["refId"])).collect();
        assert_eq!(letters.len(), list(&panel["targets"]).len(), "{title}");
        for of in list(&panel["targets"]).iter().chain([panel]) {
            assert_eq!(of["datasource"]["uid"], "${datasource}", "{title}");
        }
    }
}

fn rules(name: &str) -> Yaml {
    YamlLoader::load_from_str(&file(name)).expect("YAML").remove(0)
}

fn items(yaml: &Yaml) -> &Vec<Yaml> {
    yaml.as_vec().unwrap_or_else(|| panic!("no list: {yaml:?}"))
}

fn alerts() -> Vec<Yaml> {
    items(&rules("alerts.yml")["groups"]).iter().flat_map(|group| items(&group["rules"]).clone()).collect()
}

#[test]
fn the_alerts_ask_for_what_there_is() {
    for alert in alerts() {
        let name = alert["alert"].as_str().expect("a name");
        let found =
            checked(alert["expr"].as_str().expect("an expression")).unwrap_or_else(|said| panic!("{name}: {said}"));
        // Whose machine it is must be told.
        within(&OF_TARGET.map(str::to_owned).into(), &found, name).expect("labels of the target");
        for annotation in ["summary", "description"] {
            for used in braced(alert["annotations"][annotation].as_str().expect(annotation)) {
                let label = used.strip_prefix("$labels.");
                let value = used == "$value" || used.starts_with("$value | humanize");
                assert!(value || label.is_some_and(|label| found.contains(label)), "{name}: {used}, of {found:?}");
            }
        }
        assert!(["info", "warning", "critical"].contains(&alert["labels"]["severity"].as_str().expect("severity")));
    }
}

/// promtool runs the tests (`tests/host/tool_export.sh`); whether each alert has one that fires, and one that does not, it
/// does not say.
#[test]
fn each_alert_is_tested_both_ways() {
    let tests = rules("alerts_test.yml");
    let cases: Vec<&Yaml> = items(&tests["tests"]).iter().flat_map(|test| items(&test["alert_rule_test"])).collect();
    for alert in alerts() {
        let name = alert["alert"].as_str().expect("a name");
        let of: Vec<bool> = cases
            .iter()
            .filter(|case| case["alertname"].as_str() == Some(name))
            .map(|case| case["exp_alerts"].as_vec().is_some_and(|alerts| !alerts.is_empty()))
            .collect();
        assert!(of.contains(&true) && of.contains(&false), "{name}: {of:?}");
    }
}
