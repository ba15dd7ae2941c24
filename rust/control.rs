// SPDX-License-Identifier: GPL-2.0

//! What is switched: parameters that are set, groups of probes, the helper; and what is said of it
//! when the module is loaded.

pub(crate) mod boot;
pub(crate) mod helper;
pub(crate) mod parameters;
pub(crate) mod probes;
