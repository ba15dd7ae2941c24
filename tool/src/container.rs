// SPDX-License-Identifier: GPL-2.0
//! Names of containers, pods, machines and services, taken only from the path of a cgroup. No runtime is asked, so a
//! container that is gone has a name, too.

/// This many digits of a container's id are enough to find it. The runtimes themselves print as many.
pub const SHORT: usize = 12;

/// The prefixes that the runtimes put before a container's id, and the name that is shown. If one prefix begins with
/// another, the longer one comes first.
const RUNTIMES: [(&str, &str); 9] = [
    ("docker-", "docker"),
    ("cri-containerd-", "containerd"),
    ("containerd-", "containerd"),
    ("nerdctl-", "containerd"),
    ("crio-conmon-", "cri-o monitor"),
    ("crio-", "cri-o"),
    ("libpod-conmon-", "podman monitor"),
    ("libpod-payload-", "podman"),
    ("libpod-", "podman"),
];

/// The name of what runs in the cgroup of this path: the innermost container, pod, machine or service in the path.
/// `None` if there is none.
pub fn name(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let pod = parts.iter().rev().find_map(|part| pod(part));
    let container = (0..parts.len()).rev().find_map(|at| container(&parts, at));
    match (container, pod) {
        (Some(container), Some(pod)) => Some(format!("{container} in pod {pod}")),
        (Some(container), None) => Some(container),
        (None, Some(pod)) => Some(format!("pod {pod}")),
        (None, None) => parts.iter().rev().find_map(|part| unit(part)),
    }
}

/// Whether the last part of a path says as much as the name does.
fn is_plain(path: &str, name: &str) -> bool {
    path.ends_with(name) && path.strip_suffix(".scope").is_none()
}

/// A cgroup as it is shown to people: the path, after the name if the path has one that does not stand at its end.
pub fn shown(path: &str) -> String {
    match name(path) {
        Some(name) if !is_plain(path, &name) => format!("{name} ({path})"),
        _ => path.to_owned(),
    }
}

/// The same if there is room for only one of them.
pub fn short(path: &str) -> String {
    name(path).unwrap_or_else(|| path.to_owned())
}

/// The container of this part of a path.
fn container(parts: &[&str], at: usize) -> Option<String> {
    let part = *parts.get(at)?;
    let before = at.checked_sub(1).and_then(|before| parts.get(before)).copied().unwrap_or("");
    let bare = part.strip_suffix(".scope").unwrap_or(part);
    for (prefix, runtime) in RUNTIMES {
        if let Some(id) = bare.strip_prefix(prefix).and_then(id) {
            return Some(format!("{runtime} {id}"));
        }
    }
    // containerd without systemd's driver, but below a slice of systemd: kubepods-....slice:cri-containerd:ID.
    if let Some((rest, last)) = part.rsplit_once(':') {
        if let (Some(id), Some((_, "cri-containerd" | "docker" | "crio" | "nerdctl"))) =
            (id(last), rest.rsplit_once(':'))
        {
            return Some(format!("container {id}"));
        }
    }
    match before {
        "docker" => id(part).map(|id| format!("docker {id}")),
        "libpod_parent" => id(part).map(|id| format!("podman {id}")),
        "lxc" | "lxc.payload" => Some(format!("lxc {part}")),
        // ctr and nerdctl use the name that they were given, Kubernetes uses the id.
        before if pod(before).is_some() => id(part).map(|id| format!("container {id}")),
        _ => {
            let lxc = part.strip_prefix("lxc.payload.").map(|name| format!("lxc {name}"));
            lxc.or_else(|| part.strip_prefix("lxc.monitor.").map(|name| format!("lxc monitor {name}")))
        }
    }
}

/// The id of a container: 64 hexadecimal digits.
fn id(text: &str) -> Option<&str> {
    let is_one = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.get(..SHORT).filter(|_| is_one)
}

/// The pod of a part such as `kubepods-burstable-pod0f5e..._....slice` or `pod0f5e...`.
fn pod(part: &str) -> Option<String> {
    // The runtime's own words may follow: kubepods-pod0f5e.slice:cri-containerd:ID.
    let part = part.split(':').next().unwrap_or(part);
    let uid = match part.strip_suffix(".slice") {
        Some(slice) if slice.starts_with("kubepods-") => slice.rsplit_once("-pod")?.1,
        Some(_) => return None,
        None => part.strip_prefix("pod")?,
    };
    // For systemd a hyphen separates levels, so the uid has underscores instead.
    let uid = uid.replace('_', "-");
    let is_one = uid.len() >= 32 && uid.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    is_one.then_some(uid)
}

/// What systemd runs in a unit.
fn unit(part: &str) -> Option<String> {
    if let Some(scope) = part.strip_suffix(".scope") {
        if let Some(machine) = scope.strip_prefix("machine-") {
            return Some(format!("machine {}", unescaped(machine)));
        }
        if let Some(session) = scope.strip_prefix("session-") {
            return Some(format!("session {session}"));
        }
        return Some(unescaped(part));
    }
    if let Some(service) = part.strip_suffix(".service") {
        if let Some(machine) = service.strip_prefix("systemd-nspawn@") {
            return Some(format!("machine {}", unescaped(machine)));
        }
        return Some(unescaped(part));
    }
    None
}

/// Removes systemd's escapes: `\x2d` is a hyphen. What is not an escape stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        out += before;
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii_graphic);
        if let (Some(byte), Some(after)) = (byte, after.get(2..)) {
            out.push(char::from(byte));
            rest = after;
        } else {
            out += "\\x";
            rest = after;
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f1d02c3a9b8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e";
    const UID: &str = "0f5e1a2b-3c4d-5e6f-7a8b-9c0d1e2f3a4b";

    #[test]
    fn names_of_all_runtimes() {
        let uid_ = UID.replace('-', "_");
        let pod = format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid_}.slice");
        let in_pod = |runtime: &str| format!("{runtime} 4f1d02c3a9b8 in pod {UID}");
        let cases = [
            // Docker, with both of its drivers, and inside of a slice of its own.
            (format!("/system.slice/docker-{ID}.scope"), Some("docker 4f1d02c3a9b8".into())),
            (format!("/docker/{ID}"), Some("docker 4f1d02c3a9b8".into())),
            (format!("/docker/{ID}/system.slice/cron.service"), Some("docker 4f1d02c3a9b8".into())),
            (format!("/batch.slice/docker-{ID}.scope/init"), Some("docker 4f1d02c3a9b8".into())),
            // Kubernetes: containerd and CRI-O, by both drivers, and a pod itself.
            (format!("{pod}/cri-containerd-{ID}.scope"), Some(in_pod("containerd"))),
            (format!("{pod}/crio-{ID}.scope"), Some(in_pod("cri-o"))),
            (format!("{pod}/crio-{ID}.scope/container"), Some(in_pod("cri-o"))),
            (format!("{pod}/docker-{ID}.scope"), Some(in_pod("docker"))),
            (format!("/kubepods/besteffort/pod{UID}/{ID}"), Some(in_pod("container"))),
            (format!("/kubepods/pod{UID}/{ID}"), Some(in_pod("container"))),
            (
                format!("/system.slice/containerd.service/kubepods-pod{uid_}.slice:cri-containerd:{ID}"),
                Some(in_pod("container")),
            ),
            (pod.clone(), Some(format!("pod {UID}"))),
            (format!("/kubepods/burstable/pod{UID}"), Some(format!("pod {UID}"))),
            (
                format!("/kubepods.slice/kubepods-pod{}.slice", "0123456789abcdef".repeat(2)),
                Some(format!("pod {}", "0123456789abcdef".repeat(2))),
            ),
            // A Kubernetes node that is a container itself: the innermost one counts.
            (
                format!("/docker/{ID}/kubelet/kubepods/pod{UID}/{}", ID.replace('4', "5")),
                Some(format!("container 5f1d02c3a9b8 in pod {UID}")),
            ),
            // containerd by itself.
            (format!("/system.slice/nerdctl-{ID}.scope"), Some("containerd 4f1d02c3a9b8".into())),
            // Podman: of root, of a user, its monitor.
            (format!("/machine.slice/libpod-{ID}.scope/container"), Some("podman 4f1d02c3a9b8".into())),
            (
                format!("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope"),
                Some("podman 4f1d02c3a9b8".into()),
            ),
            (format!("/machine.slice/libpod-conmon-{ID}.scope"), Some("podman monitor 4f1d02c3a9b8".into())),
            (format!("/libpod_parent/libpod-{ID}"), Some("podman 4f1d02c3a9b8".into())),
            (format!("/kubepods.slice/crio-conmon-{ID}.scope"), Some("cri-o monitor 4f1d02c3a9b8".into())),
            // LXC and LXD.
            ("/lxc.payload.web1/system.slice/nginx.service".into(), Some("lxc web1".into())),
            ("/lxc/web1".into(), Some("lxc web1".into())),
            ("/lxc.monitor.web1".into(), Some("lxc monitor web1".into())),
            // systemd: services, sessions, machines.
            ("/system.slice/nginx.service".into(), Some("nginx.service".into())),
            ("/system.slice/system-getty.slice/getty@tty1.service".into(), Some("getty@tty1.service".into())),
            ("/system.slice/my\\x2dthing.service/workers".into(), Some("my-thing.service".into())),
            ("/user.slice/user-1000.slice/session-3.scope".into(), Some("session 3".into())),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox.scope".into(),
                Some("app-firefox.scope".into()),
            ),
            (
                "/machine.slice/machine-qemu\\x2d1\\x2ddebian.scope/libvirt/emulator".into(),
                Some("machine qemu-1-debian".into()),
            ),
            ("/machine.slice/systemd-nspawn@deb.service/payload".into(), Some("machine deb".into())),
            // These have no names: something that is not an id, slices, the root, a cgroup made by hand, something that
            // is not an escape.
            (format!("/docker/{}", &ID[..63]), None),
            (format!("/mine/{ID}"), None),
            ("/docker".into(), None),
            ("/kubepods.slice/kubepods-burstable.slice".into(), None),
            ("/podcast".into(), None),
            ("/".into(), None),
            (String::new(), None),
            ("/rwb-limited".into(), None),
            ("/a\\xzz\\x0a.service".into(), Some("a\\xzz\\x0a.service".into())),
            ("/\\x".into(), None),
        ];
        for (path, expected) in cases {
            assert_eq!(name(&path), expected, "{path}");
        }
    }

    #[test]
    fn the_path_is_kept() {
        let docker = format!("/system.slice/docker-{ID}.scope");
        assert_eq!(shown(&docker), format!("docker 4f1d02c3a9b8 ({docker})"));
        assert_eq!(short(&docker), "docker 4f1d02c3a9b8");
        // What would be shown twice is shown once.
        assert_eq!(shown("/system.slice/nginx.service"), "/system.slice/nginx.service");
        assert_eq!(shown("/system.slice/nginx.service/a"), "nginx.service (/system.slice/nginx.service/a)");
        assert_eq!((shown("/rwb-limited"), short("/")), ("/rwb-limited".into(), "/".into()));
    }

    proptest::proptest! {
        #[test]
        fn no_path_is_too_odd(path in "[a-f0-9/:\\\\x._@é-]{0,90}") {
            if let Some(name) = name(&path) {
                proptest::prop_assert!(!name.is_empty());
            }
            proptest::prop_assert!(shown(&path).contains(&path));
        }
    }
}
