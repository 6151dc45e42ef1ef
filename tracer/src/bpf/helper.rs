//! The helpers of the kernel by number.
//!
//! Source: `enum bpf_func_id` in include/uapi/linux/bpf.h; numbers never change.

/// The helpers whose names are known, in order of their numbers.
const HELPERS: &[(u32, &str)] = &[
    (1, "map_lookup_elem"),
    (2, "map_update_elem"),
    (3, "map_delete_elem"),
    (4, "probe_read"),
    (5, "ktime_get_ns"),
    (6, "trace_printk"),
    (7, "get_prandom_u32"),
    (8, "get_smp_processor_id"),
    (12, "tail_call"),
    (14, "get_current_pid_tgid"),
    (15, "get_current_uid_gid"),
    (16, "get_current_comm"),
    (25, "perf_event_output"),
    (27, "get_stackid"),
    (35, "get_current_task"),
    (36, "probe_write_user"),
    (45, "probe_read_str"),
    (67, "get_stack"),
    (80, "get_current_cgroup_id"),
    (93, "spin_lock"),
    (94, "spin_unlock"),
    (109, "send_signal"),
    (112, "probe_read_user"),
    (113, "probe_read_kernel"),
    (114, "probe_read_user_str"),
    (115, "probe_read_kernel_str"),
    (118, "jiffies64"),
    (120, "get_ns_current_pid_tgid"),
    (125, "ktime_get_boot_ns"),
    (130, "ringbuf_output"),
    (131, "ringbuf_reserve"),
    (132, "ringbuf_submit"),
    (133, "ringbuf_discard"),
    (134, "ringbuf_query"),
    (136, "skc_to_tcp6_sock"),
    (137, "skc_to_tcp_sock"),
    (141, "get_task_stack"),
    (147, "d_path"),
    (148, "copy_from_user"),
    (153, "per_cpu_ptr"),
    (154, "this_cpu_ptr"),
    (158, "get_current_task_btf"),
    (160, "ktime_get_coarse_ns"),
    (164, "for_each_map_elem"),
    (165, "snprintf"),
    (173, "get_func_ip"),
    (174, "get_attach_cookie"),
    (175, "task_pt_regs"),
    (181, "loop"),
    (182, "strncmp"),
    (183, "get_func_arg"),
    (184, "get_func_ret"),
    (185, "get_func_arg_cnt"),
    (195, "map_lookup_percpu_elem"),
    (208, "ktime_get_tai_ns"),
];

/// The name of a helper, without `bpf_`.
pub fn helper_name(id: u32) -> Option<&'static str> {
    let index = HELPERS.binary_search_by_key(&id, |(number, _)| *number).ok()?;
    Some(HELPERS[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(HELPERS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(helper_name(130), Some("ringbuf_output"));
        assert_eq!(helper_name(0), None);
    }
}
