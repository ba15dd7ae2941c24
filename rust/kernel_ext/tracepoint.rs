// SPDX-License-Identifier: GPL-2.0

//! Probes on tracepoints that are found by name, in the kernel and in modules.
//!
//! The tracepoints of vmscan, block and NBD are not exported, so that they are
//! looked up with `for_each_kernel_tracepoint()`; those of a module come and go
//! with it, which a notifier follows.
//!
//! Locks: `tracepoint_module_list_mutex` (the kernel's, held around the
//! notifier) before `tracepoints_mutex` (the kernel's, inside registration).
//! None of ours.
//!
//! C headers: `include/linux/tracepoint.h`

use crate::{
    kernel_ext::cell::peek,
    shim,
    words::Group, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc, //
    },
    types::Opaque, //
};

/// A tracepoint that a probe wants to attach to.
pub(crate) struct ProbeSpec {
    /// Name of the tracepoint.
    pub(crate) name: &'static CStr,
    /// The loadable module that may hold it, if it need not be in the kernel.
    pub(crate) module: Option<&'static str>,
    /// Index of the event without which this one must not be attached. It
    /// stands earlier in the table.
    pub(crate) needs: Option<usize>,
    /// The group that it is switched on and off with; `None`: it is always on. Not for
    /// what a module holds.
    pub(crate) group: Option<Group>,
}

/// Whether a probe is attached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeState {
    /// No such tracepoint in this kernel.
    Missing,
    /// Its prototype is not the one that the probe was written for.
    Changed,
    /// Its module is not loaded.
    Waiting,
    /// The event that it is paired with is not attached.
    Unpaired,
    /// Attached.
    Attached,
    /// Its group is switched off.
    Off,
    /// It would be attached, but nothing is recorded at present.
    Paused,
    /// Registration failed, with this error number.
    Failed(i32),
}

impl ProbeState {
    /// As a number, for an atomic.
    pub(crate) const fn to_raw(self) -> i32 {
        match self {
            ProbeState::Missing => 0,
            ProbeState::Changed => 1,
            ProbeState::Waiting => 2,
            ProbeState::Unpaired => 3,
            ProbeState::Attached => 4,
            ProbeState::Off => 5,
            ProbeState::Paused => 6,
            ProbeState::Failed(errno) => errno.wrapping_neg(),
        }
    }

    /// From that number.
    pub(crate) const fn from_raw(v: i32) -> Self {
        match v {
            0 => ProbeState::Missing,
            1 => ProbeState::Changed,
            2 => ProbeState::Waiting,
            3 => ProbeState::Unpaired,
            4 => ProbeState::Attached,
            5 => ProbeState::Off,
            6 => ProbeState::Paused,
            e => ProbeState::Failed(e.wrapping_neg()),
        }
    }

    /// Whether it works, or will when recording goes on.
    pub(crate) fn works(self) -> bool {
        matches!(self, ProbeState::Attached | ProbeState::Paused)
    }
}

/// State of one probe; any thread may read it.
pub(crate) struct Probe {
    state: Atomic<i32>,
    /// Address of the tracepoint while attached, else 0.
    tracepoint: Atomic<usize>,
}

impl Probe {
    /// A probe that is not attached.
    pub(crate) const fn new() -> Self {
        Self {
            state: Atomic::new(ProbeState::Missing.to_raw()),
            tracepoint: Atomic::new(0),
        }
    }

    /// Whether it is attached.
    pub(crate) fn state(&self) -> ProbeState {
        ProbeState::from_raw(peek(&self.state))
    }

    fn set(&self, state: ProbeState) {
        self.state.store(state.to_raw(), Relaxed);
    }
}

/// What C passes on to the entries that it calls for probes.
///
/// # Safety
///
/// All entries that a probe calls, in `entry`, must expect a pointer to this type.
pub(crate) unsafe trait ProbeData: Send + Sync + 'static {}

/// What the probes work for: gets their events, and holds their states.
pub(crate) trait Host: ProbeData {
    /// The events wanted; a paired event after the one that it needs.
    const WANTED: &'static [ProbeSpec];

    /// One state per wanted event.
    fn probes(&self) -> &[Probe];

    /// How many tasks stall: C looks there before it calls us for what only they do.
    fn stalling(&self) -> &Atomic<usize>;

    /// Why the probes of that group, or of none, are not to be attached, if they are not.
    fn off(&self, group: Option<Group>) -> Option<ProbeState>;

    /// A module with tracepoints is going. Sleeps.
    fn module_gone(&self);

    /// A module that may hold wanted tracepoints comes, or is going. Sleeps; with
    /// `tracepoint_module_list_mutex` held.
    fn module_switched(&self, module: &str, here: bool);
}

/// The attached probes; detaches them, and waits for their handlers, on drop.
/// Creating and dropping it sleep.
///
/// # Invariants
///
/// While `self` lives, the notifier block is registered, and each probe whose
/// `tracepoint` is not 0 is registered there with `host` as its data. C looks at the
/// count of `host`, or at none.
#[pin_data(PinnedDrop)]
pub(crate) struct Probes<H: Host> {
    #[pin]
    notifier: Opaque<bindings::notifier_block>,
    host: Arc<H>,
}

// SAFETY: The notifier block is only touched by the kernel, under its locks.
unsafe impl<H: Host> Send for Probes<H> {}

// SAFETY: As above; a shared reference gives access to nothing else.
unsafe impl<H: Host> Sync for Probes<H> {}

/// What the callback of `for_each_kernel_tracepoint()` fills.
struct Found<'a> {
    wanted: &'static [ProbeSpec],
    tracepoints: &'a mut [usize],
}

/// # Safety
///
/// `tp` must be a valid tracepoint, `found` a valid [`Found`] that nothing else
/// uses.
unsafe extern "C" fn match_name(tp: *mut bindings::tracepoint, found: *mut c_void) {
    // SAFETY: By the safety requirement.
    let found = unsafe { &mut *found.cast::<Found<'_>>() };
    // SAFETY: A valid tracepoint has a NUL-terminated name of static lifetime.
    let name = unsafe { CStr::from_char_ptr((*tp).name.cast()) };
    if let Some(i) = found.wanted.iter().position(|w| w.name == name) {
        if let Some(slot) = found.tracepoints.get_mut(i) {
            *slot = tp as usize;
        }
    }
}

impl<H: Host> Probes<H> {
    /// Attaches what can be attached; the states in `host` tell what could not.
    pub(crate) fn new(host: Arc<H>) -> impl PinInit<Self, Error> {
        try_pin_init!(&this in Self {
            notifier <- Opaque::ffi_init(|nb: *mut bindings::notifier_block| {
                // SAFETY: `nb` is valid for writes; zeroes are a valid
                // notifier block, and the callback's type is the right one.
                unsafe {
                    nb.write(pin_init::zeroed());
                    (*nb).notifier_call = Some(Self::notify);
                }
            }),
            host,
            _: {
                // SAFETY: The count lives as long as the host, which we hold until C looks at
                // none any more: see `detach()`.
                unsafe { shim::rwb_count_stalls_in(host.stalling().as_ptr()) };
                let attached = Self::attach_kernel(host, None).and_then(|()| {
                    // SAFETY: The notifier block and the host were initialised
                    // above, the value is pinned, and `drop` unregisters. On an
                    // error of ours nothing is left registered (see below).
                    to_result(unsafe {
                        bindings::register_tracepoint_module_notifier(
                            Opaque::cast_into(&raw const (*this.as_ptr()).notifier))
                    })
                });
                if let Err(e) = attached {
                    Self::detach(host);
                    return Err(e);
                }
            },
        })
    }

    /// Attaches those of a group, in their order. Sleeps.
    pub(crate) fn attach_group(&self, group: Group) -> Result {
        Self::attach_kernel(&self.host, Some(group))
    }

    /// Detaches those of a group, the last one first, and waits until no handler runs.
    /// Sleeps.
    pub(crate) fn detach_group(&self, group: Group) {
        let host = &self.host;
        for i in (0..H::WANTED.len()).rev() {
            if H::WANTED.get(i).is_some_and(|w| w.group == Some(group)) {
                Self::detach_one(host, i, core::ptr::null_mut());
                if let Some(probe) = host.probes().get(i) {
                    if matches!(probe.state(), ProbeState::Missing | ProbeState::Paused) {
                        probe.set(ProbeState::Off);
                    }
                }
            }
        }
        // SAFETY: Sleeps, which our callers may.
        unsafe { shim::rwb_tracepoint_sync() };
    }

    /// Attaches the probes whose tracepoints are in the kernel image: all, or those of a
    /// group.
    fn attach_kernel(host: &Arc<H>, group: Option<Group>) -> Result {
        let mut tracepoints = KVVec::from_elem(0usize, H::WANTED.len(), GFP_KERNEL)?;
        let mut found = Found {
            wanted: H::WANTED,
            tracepoints: &mut tracepoints,
        };
        // SAFETY: `match_name` is called with each tracepoint and `found`,
        // which is alive and used by nothing else during the call.
        unsafe { bindings::for_each_kernel_tracepoint(Some(match_name), (&raw mut found).cast()) };
        for (i, &tp) in tracepoints.iter().enumerate() {
            let of_group = H::WANTED.get(i).and_then(|w| w.group);
            if group.is_none() || of_group == group {
                Self::attach(host, i, tp as *mut bindings::tracepoint);
            }
        }
        Ok(())
    }

    /// Attaches probe `i` to `tp`; null if it was not found.
    fn attach(host: &Arc<H>, i: usize, tp: *mut bindings::tracepoint) {
        let (Some(wanted), Some(probe)) = (H::WANTED.get(i), host.probes().get(i)) else {
            return;
        };
        // Switched on by the parameter while it was being attached anyway.
        if probe.state() == ProbeState::Attached {
            return;
        }
        let mut known = false;
        // SAFETY: The name is NUL-terminated, `known` valid for writes.
        let func = unsafe { shim::rwb_probe_func(wanted.name.as_char_ptr(), &mut known) };
        let paired = wanted.needs.is_none_or(|n| {
            matches!(
                host.probes().get(n).map(Probe::state),
                Some(ProbeState::Attached)
            )
        });

        probe.set(if tp.is_null() {
            match wanted.module {
                None => ProbeState::Missing,
                // Its header says already that it will be of no use.
                Some(_) if func.is_null() && known => ProbeState::Changed,
                Some(_) => ProbeState::Waiting,
            }
        } else if func.is_null() {
            ProbeState::Changed
        } else if let Some(off) = host.off(wanted.group) {
            off
        } else if !paired {
            ProbeState::Unpaired
        } else {
            let data = Arc::as_ptr(host).cast_mut().cast::<c_void>();
            // SAFETY: `tp` is a live tracepoint (of the kernel image, or of a
            // module that the notifier holds in place), `func` a probe whose
            // prototype the compiler checked against that tracepoint's, and
            // `data` what its entries expect (`ProbeData`), kept alive by
            // `Probes` until after the probe is unregistered and its handlers
            // are done.
            let err = unsafe { bindings::tracepoint_probe_register(tp, func, data) };
            if err == 0 {
                probe.tracepoint.store(tp as usize, Release);
                ProbeState::Attached
            } else {
                ProbeState::Failed(err.wrapping_neg())
            }
        });
    }

    /// Detaches probe `i`, if it is attached to `tp`, or to any when null.
    fn detach_one(host: &Arc<H>, i: usize, tp: *mut bindings::tracepoint) {
        let (Some(wanted), Some(probe)) = (H::WANTED.get(i), host.probes().get(i)) else {
            return;
        };
        let at = probe.tracepoint.load(Acquire) as *mut bindings::tracepoint;
        if at.is_null() || (!tp.is_null() && at != tp) {
            return;
        }
        let mut known = false;
        // SAFETY: As in `attach`.
        let func = unsafe { shim::rwb_probe_func(wanted.name.as_char_ptr(), &mut known) };
        let data = Arc::as_ptr(host).cast_mut().cast::<c_void>();
        // SAFETY: By the type invariant the tracepoint is live and the probe
        // registered there with this data. The result can be ignored: the one
        // failure is that the probe is not there.
        unsafe { bindings::tracepoint_probe_unregister(at, func, data) };
        probe.tracepoint.store(0, Relaxed);
        probe.set(if wanted.module.is_some() {
            ProbeState::Waiting
        } else {
            ProbeState::Missing
        });
    }

    /// Detaches all probes, and waits until no handler runs.
    fn detach(host: &Arc<H>) {
        // Last attached first: windows close only after writes stop.
        for i in (0..H::WANTED.len()).rev() {
            Self::detach_one(host, i, core::ptr::null_mut());
        }
        // SAFETY: Sleeps, which our callers may.
        unsafe { shim::rwb_tracepoint_sync() };
        // SAFETY: No count any more. Nobody looks at the one that was: the probes that do
        // are gone, and their handlers done.
        unsafe { shim::rwb_count_stalls_in(core::ptr::null()) };
    }

    /// A module with tracepoints came or goes.
    ///
    /// # Safety
    ///
    /// Called by the notifier chain alone: `nb` is the notifier block of a
    /// pinned, initialised `Self`, `data` the `struct tp_module`.
    unsafe extern "C" fn notify(
        nb: *mut bindings::notifier_block,
        action: c_ulong,
        data: *mut c_void,
    ) -> c_int {
        // SAFETY: By the safety requirement; `Opaque` is transparent.
        let this =
            unsafe { &*kernel::container_of!(Opaque::cast_from(nb.cast_const()), Self, notifier) };
        let mut visit = Visit {
            host: &this.host,
            coming: action == bindings::module_state_MODULE_STATE_COMING as c_ulong,
            going: action == bindings::module_state_MODULE_STATE_GOING as c_ulong,
            module: None,
        };
        // SAFETY: `data` is a `struct tp_module` whose module is held in place
        // during the call; `visit_one::<H>` gets what it expects.
        unsafe {
            shim::rwb_module_tracepoints(data.cast(), Some(visit_one::<H>), (&raw mut visit).cast())
        };
        if let Some(module) = visit.module {
            this.host.module_switched(module, visit.coming);
        }
        if visit.going {
            this.host.module_gone();
        }
        0 // NOTIFY_DONE
    }
}

/// What [`visit_one`] works with.
struct Visit<'a, H: Host> {
    host: &'a Arc<H>,
    coming: bool,
    going: bool,
    /// What it is called, once it has shown a wanted tracepoint.
    module: Option<&'static str>,
}

/// # Safety
///
/// `tp` must be a valid tracepoint that stays in place during the call,
/// `visit` a valid [`Visit`] that nothing else uses.
unsafe extern "C" fn visit_one<H: Host>(tp: *mut bindings::tracepoint, visit: *mut c_void) {
    // SAFETY: By the safety requirement.
    let visit = unsafe { &mut *visit.cast::<Visit<'_, H>>() };
    // SAFETY: A valid tracepoint has a NUL-terminated name.
    let name = unsafe { CStr::from_char_ptr((*tp).name.cast()) };
    let wanted = |w: &ProbeSpec| w.module.is_some() && w.name == name;
    if let Some(i) = H::WANTED.iter().position(wanted) {
        visit.module = H::WANTED.get(i).and_then(|w| w.module);
        if visit.coming {
            Probes::attach(visit.host, i, tp);
        } else if visit.going {
            Probes::detach_one(visit.host, i, tp);
        }
    }
}

#[pinned_drop]
impl<H: Host> PinnedDrop for Probes<H> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant the notifier block is registered. The
        // call replays "going" for each module, which detaches the probes in
        // modules.
        unsafe { bindings::unregister_tracepoint_module_notifier(self.notifier.get()) };
        Self::detach(&self.host);
    }
}
