// SPDX-License-Identifier: GPL-2.0

//! What is switched: setters of parameters, groups of probes, the helper. Also the messages that
//! the module prints when it is loaded.

pub(crate) mod boot;
pub(crate) mod helper;
pub(crate) mod parameters;
pub(crate) mod probes;
