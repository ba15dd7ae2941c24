// SPDX-License-Identifier: GPL-2.0

//! Probes on tracepoints that are found by name, in the kernel and in modules.
//!
//! The tracepoints of vmscan, block and NBD are not exported, so they are looked up with
//! `for_each_kernel_tracepoint()`. Tracepoints of a module come and go with it; a notifier follows
//! that.
//!
//! Context: process context; all functions sleep, except those of [`ProbeState`] and [`Probe`].
//! Locks: none of ours. The kernel holds `tracepoint_module_list_mutex` around the notifier, and
//! takes `tracepoints_mutex` inside registration. For the order see Documentation/design.rst.
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

/// A tracepoint that is to be probed.
pub(crate) struct ProbeSpec {
    /// Name of the tracepoint.
    pub(crate) name: &'static CStr,
    /// The loadable module that may contain the tracepoint; `None` if it is always in the kernel
    /// image.
    pub(crate) module: Option<&'static str>,
    /// Index of another event, without which this one must not be attached. That event stands
    /// earlier in the table.
    pub(crate) needs: Option<usize>,
    /// The group with which the probe is switched; `None` if it is always on. Tracepoints of a
    /// module have no group.
    pub(crate) group: Option<Group>,
}

/// The state of a probe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeState {
    /// There is no such tracepoint in this kernel.
    Missing,
    /// The tracepoint has another prototype than the probe.
    Changed,
    /// The module of the tracepoint is not loaded.
    Waiting,
    /// The event with which it is paired is not attached.
    Unpaired,
    /// The probe is attached.
    Attached,
    /// The group of the probe is switched off.
    Off,
    /// The probe would be attached, but recording is paused.
    Paused,
    /// As things are it would tell nothing; it is attached when that changes.
    Resting,
    /// Registration failed, with this error number.
    Failed(i32),
}

impl ProbeState {
    /// Converts the state to a number, for an atomic.
    pub(crate) const fn to_raw(self) -> i32 {
        match self {
            ProbeState::Missing => 0,
            ProbeState::Changed => 1,
            ProbeState::Waiting => 2,
            ProbeState::Unpaired => 3,
            ProbeState::Attached => 4,
            ProbeState::Off => 5,
            ProbeState::Paused => 6,
            ProbeState::Resting => 7,
            ProbeState::Failed(errno) => errno.wrapping_neg(),
        }
    }

    /// Converts the number back to a state.
    pub(crate) const fn from_raw(v: i32) -> Self {
        match v {
            0 => ProbeState::Missing,
            1 => ProbeState::Changed,
            2 => ProbeState::Waiting,
            3 => ProbeState::Unpaired,
            4 => ProbeState::Attached,
            5 => ProbeState::Off,
            6 => ProbeState::Paused,
            7 => ProbeState::Resting,
            e => ProbeState::Failed(e.wrapping_neg()),
        }
    }

    /// Whether the probe is attached, or will be when recording is resumed, or when it is needed.
    pub(crate) fn works(self) -> bool {
        matches!(
            self,
            ProbeState::Attached | ProbeState::Paused | ProbeState::Resting
        )
    }
}

/// A probe with its state, which any context may read.
pub(crate) struct Probe {
    state: Atomic<i32>,
    /// Address of the tracepoint while the probe is attached, otherwise 0.
    tracepoint: Atomic<usize>,
}

impl Probe {
    /// Creates a probe that is not attached.
    pub(crate) const fn new() -> Self {
        Self {
            state: Atomic::new(ProbeState::Missing.to_raw()),
            tracepoint: Atomic::new(0),
        }
    }

    /// Returns the state of the probe.
    pub(crate) fn state(&self) -> ProbeState {
        ProbeState::from_raw(peek(&self.state))
    }

    fn set(&self, state: ProbeState) {
        self.state.store(state.to_raw(), Relaxed);
    }
}

/// The data that C passes to the entries of probes.
///
/// # Safety
///
/// All entries of probes, in `entry`, must expect a pointer to this type.
pub(crate) unsafe trait ProbeData: Send + Sync + 'static {}

/// The owner of the probes: it gets their events, and has their states.
pub(crate) trait Host: ProbeData {
    /// The events that are wanted. A paired event stands after the one that it needs.
    const WANTED: &'static [ProbeSpec];

    /// Returns the probes, one for each wanted event.
    fn probes(&self) -> &[Probe];

    /// Returns the number of tasks that stall, and the number of tasks that wait for locks of such
    /// tasks. C checks them before it calls the handlers of events that matter only then.
    fn stalling(&self) -> [&Atomic<usize>; 2];

    /// Returns why the probes of a group (or those of no group) are not to be attached; `None` if
    /// they are.
    fn off(&self, group: Option<Group>) -> Option<ProbeState>;

    /// Called when a module with tracepoints is about to be unloaded. Sleeps.
    fn module_gone(&self);

    /// Called when a module that may contain wanted tracepoints was loaded (`here`), or is about to
    /// be unloaded. Sleeps. `tracepoint_module_list_mutex` is held.
    fn module_switched(&self, module: &str, here: bool);
}

/// The attached probes. Creating them sleeps. On drop they are detached, which sleeps until the
/// last handler has ended.
///
/// # Invariants
///
/// While `self` lives, the notifier block is registered, and each probe whose `tracepoint` is not 0
/// is registered there with `host` as its data. C checks the count of `host`, or none.
#[pin_data(PinnedDrop)]
pub(crate) struct Probes<H: Host> {
    #[pin]
    notifier: Opaque<bindings::notifier_block>,
    host: Arc<H>,
}

// SAFETY: Only the kernel uses the notifier block, under its own locks.
unsafe impl<H: Host> Send for Probes<H> {}

// SAFETY: As above. A shared reference gives access to nothing else.
unsafe impl<H: Host> Sync for Probes<H> {}

/// The argument of [`match_name`]: the tracepoints that were found, by their index in `wanted`.
struct WantedTracepoints<'a> {
    wanted: &'static [ProbeSpec],
    tracepoints: &'a mut [usize],
}

/// Notes a tracepoint if it is wanted.
///
/// # Safety
///
/// `tp` must be a valid tracepoint, and `found` a valid [`WantedTracepoints`] that nothing else
/// uses.
unsafe extern "C" fn match_name(tp: *mut bindings::tracepoint, found: *mut c_void) {
    // SAFETY: By the safety requirement.
    let found = unsafe { &mut *found.cast::<WantedTracepoints<'_>>() };
    // SAFETY: A valid tracepoint has a static name that is NUL-terminated.
    let name = unsafe { CStr::from_char_ptr((*tp).name.cast()) };
    if let Some(i) = found.wanted.iter().position(|w| w.name == name) {
        if let Some(slot) = found.tracepoints.get_mut(i) {
            *slot = tp as usize;
        }
    }
}

impl<H: Host> Probes<H> {
    /// Attaches all probes that can be attached. `host` has the state of each. Fails with `ENOMEM`,
    /// or with the error of registering the notifier.
    pub(crate) fn new(host: Arc<H>) -> impl PinInit<Self, Error> {
        try_pin_init!(&this in Self {
            notifier <- Opaque::ffi_init(|nb: *mut bindings::notifier_block| {
                // SAFETY: `nb` is valid for writes. Zeroes are a valid notifier block, and the
                // callback has the right type.
                unsafe {
                    nb.write(pin_init::zeroed());
                    (*nb).notifier_call = Some(Self::notify);
                }
            }),
            host,
            _: {
                let [stalls, waits] = host.stalling();
                // SAFETY: The counts live as long as the host. We hold the host until C checks no
                // counts any more: see `detach()`.
                unsafe { shim::rwb_set_stall_counters(stalls.as_ptr(), waits.as_ptr()) };
                let attached = Self::attach_kernel(host, None).and_then(|()| {
                    // SAFETY: The notifier block and the host were initialised above, the value is
                    // pinned, and `drop` unregisters. If this fails, nothing is left registered
                    // (see below).
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

    /// Attaches the probes of a group, in the order of the table. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn attach_group(&self, group: Group) -> Result {
        Self::attach_kernel(&self.host, Some(group))
    }

    /// Detaches the probes of a group, the last one first, and waits for their handlers. Sleeps.
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
        // SAFETY: Sleeps, which our callers allow.
        unsafe { shim::rwb_tracepoint_sync() };
    }

    /// Attaches the probes whose tracepoints are in the kernel image: all of them, or those of a
    /// group.
    fn attach_kernel(host: &Arc<H>, group: Option<Group>) -> Result {
        let mut tracepoints = KVVec::from_elem(0usize, H::WANTED.len(), GFP_KERNEL)?;
        let mut found = WantedTracepoints {
            wanted: H::WANTED,
            tracepoints: &mut tracepoints,
        };
        // SAFETY: `match_name` is called with each tracepoint and `found`, which lives and is used
        // by nothing else during the call.
        unsafe { bindings::for_each_kernel_tracepoint(Some(match_name), (&raw mut found).cast()) };
        for (i, &tp) in tracepoints.iter().enumerate() {
            let of_group = H::WANTED.get(i).and_then(|w| w.group);
            if group.is_none() || of_group == group {
                Self::attach(host, i, tp as *mut bindings::tracepoint);
            }
        }
        Ok(())
    }

    /// Attaches probe `i` to `tp`, which is null if the tracepoint was not found.
    fn attach(host: &Arc<H>, i: usize, tp: *mut bindings::tracepoint) {
        let (Some(wanted), Some(probe)) = (H::WANTED.get(i), host.probes().get(i)) else {
            return;
        };
        // The probe is attached already: `enabled` and the parameter of its group were set at the
        // same time.
        if probe.state() == ProbeState::Attached {
            return;
        }
        let mut known = false;
        // SAFETY: The name is NUL-terminated, and `known` is valid for writes.
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
                // The header of the module says already that its tracepoint has another prototype.
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
            // SAFETY: `tp` is a live tracepoint, of the kernel image or of a module that the
            // notifier holds in place. `func` is a probe whose prototype the compiler has checked
            // against that of the tracepoint. `data` is what its entries expect (`ProbeData`), and
            // `Probes` keeps it until the probe is unregistered and its handlers have ended.
            let err = unsafe { bindings::tracepoint_probe_register(tp, func, data) };
            if err == 0 {
                probe.tracepoint.store(tp as usize, Release);
                ProbeState::Attached
            } else {
                ProbeState::Failed(err.wrapping_neg())
            }
        });
    }

    /// Detaches probe `i` if it is attached to `tp`, or to any tracepoint if `tp` is null.
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
        // SAFETY: By the type invariant the tracepoint is live, and the probe is registered there
        // with this data. The result can be ignored: the only failure is that the probe is not
        // there.
        unsafe { bindings::tracepoint_probe_unregister(at, func, data) };
        probe.tracepoint.store(0, Relaxed);
        probe.set(if wanted.module.is_some() {
            ProbeState::Waiting
        } else {
            ProbeState::Missing
        });
    }

    /// Detaches all probes, and waits for their handlers.
    fn detach(host: &Arc<H>) {
        // The probe that was attached last is detached first, so that windows are closed only after
        // writes have stopped.
        for i in (0..H::WANTED.len()).rev() {
            Self::detach_one(host, i, core::ptr::null_mut());
        }
        // SAFETY: Sleeps, which our callers allow.
        unsafe { shim::rwb_tracepoint_sync() };
        // SAFETY: C checks no counts from here on. Nobody reads the counts of `host` any more,
        // because the probes that do are detached, and their handlers have ended.
        unsafe { shim::rwb_set_stall_counters(core::ptr::null(), core::ptr::null()) };
    }

    /// Called by the notifier chain when a module with tracepoints was loaded, or is about to be
    /// unloaded.
    ///
    /// # Safety
    ///
    /// Only the notifier chain may call this: `nb` is the notifier block of a pinned, initialised
    /// `Self`, and `data` is the `struct tp_module`.
    unsafe extern "C" fn notify(
        nb: *mut bindings::notifier_block,
        action: c_ulong,
        data: *mut c_void,
    ) -> c_int {
        // SAFETY: By the safety requirement `nb` is part of a live `Self`. `Opaque` is transparent.
        let this =
            unsafe { &*kernel::container_of!(Opaque::cast_from(nb.cast_const()), Self, notifier) };
        let mut visit = ModuleVisit {
            host: &this.host,
            coming: action == bindings::module_state_MODULE_STATE_COMING as c_ulong,
            going: action == bindings::module_state_MODULE_STATE_GOING as c_ulong,
            module: None,
        };
        // SAFETY: `data` is a `struct tp_module` whose module is held in place during the call.
        // `visit_one::<H>` gets the argument that it expects.
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

/// The argument of [`visit_one`].
struct ModuleVisit<'a, H: Host> {
    host: &'a Arc<H>,
    coming: bool,
    going: bool,
    /// Name of the module, once one of its tracepoints was wanted.
    module: Option<&'static str>,
}

/// Attaches or detaches the probe of a module's tracepoint, if it is wanted.
///
/// # Safety
///
/// `tp` must be a valid tracepoint that stays in place during the call, and `visit` a valid
/// [`ModuleVisit`] that nothing else uses.
unsafe extern "C" fn visit_one<H: Host>(tp: *mut bindings::tracepoint, visit: *mut c_void) {
    // SAFETY: By the safety requirement.
    let visit = unsafe { &mut *visit.cast::<ModuleVisit<'_, H>>() };
    // SAFETY: A valid tracepoint has a name that is NUL-terminated.
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
        // SAFETY: By the type invariant the notifier block is registered. The call reports "going"
        // for each module again, which detaches the probes on tracepoints of modules.
        unsafe { bindings::unregister_tracepoint_module_notifier(self.notifier.get()) };
        Self::detach(&self.host);
    }
}
