// SPDX-License-Identifier: GPL-2.0
//! Facts about the system: what was measured, where, and how.

use maud::{Markup, html};

use crate::{
    format::{count, mib},
    recording::Recording,
    report::Report,
    text,
};

/// Draws the facts.
pub fn render(report: &Report, recording: Option<&Recording>) -> Markup {
    let mut facts = recording.map(of_recording).unwrap_or_default();
    facts.extend(of_machine(report));
    facts.extend(of_module(report));
    html! {
        section id="system" {
            h2 { "System" }
            dl {
                @for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
                    div { dt { (name) } dd { (value) } }
                }
            }
        }
    }
}

type Facts = Vec<(&'static str, String)>;

fn of_recording(recording: &Recording) -> Facts {
    let (head, end) = (&recording.head, &recording.end);
    let exit = end.exit.map_or(String::new(), |code| format!(", exit code {code}"));
    let command = head.command.as_ref().map_or("none".into(), |words| words.join(" "));
    let asked = if head.events.is_empty() { "not known which".into() } else { head.events.join(", ") };
    vec![
        (
            "Recorded",
            format!(
                "from {}, for {:.1} s{}",
                head.started,
                end.seconds,
                if end.interrupted { ", until it was interrupted" } else { "" }
            ),
        ),
        ("Command", command + &exit),
        ("Events", format!("{} of those recorded ({asked})", count(end.events))),
    ]
}

fn of_machine(report: &Report) -> Facts {
    let machine = &report.machine;
    let memory = machine.memory_bytes.map_or(String::new(), |bytes| format!(", {} of memory", mib(bytes)));
    let swaps: Vec<String> = machine.swaps.iter().map(text::swap).collect();
    vec![
        ("Kernel", format!("Linux {} {}", machine.kernel, machine.machine)),
        ("Machine", format!("{} CPUs{memory}, pages of {} bytes", machine.cpus, count(machine.page_size))),
        ("Swap", if swaps.is_empty() { "none".into() } else { swaps.join("; ") }),
        ("Settings", text::settings(&machine.settings)),
        ("Command line", machine.cmdline.clone()),
    ]
}

fn of_module(report: &Report) -> Facts {
    let module = &report.module;
    let attached = module.probes.iter().filter(|probe| probe.attached()).count();
    let missing: Vec<String> = module
        .probes
        .iter()
        .filter(|probe| probe.missing())
        .map(|probe| format!("{} {} ({})", probe.via, probe.name, probe.state))
        .collect();
    let handoff = module.handoff.as_ref().map_or(String::new(), |state| format!(", handoff {state}"));
    let params: Vec<String> = module.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    vec![
        (
            "Module",
            format!(
                "{}, {}, {attached} of {} probes attached, helper {}{handoff}",
                module.version,
                if module.enabled { "recording" } else { "switched off (enabled=N)" },
                module.probes.len(),
                module.helper,
            ),
        ),
        ("Probes that are missing", missing.join("; ")),
        ("Parameters", params.join(" ")),
    ]
}
