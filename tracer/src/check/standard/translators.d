/*
 * How the kernel's structures are seen as D's, for xlate: what probes do not fill in themselves.
 * What the running kernel has no structure or member for is left out.
 */

/* include/linux/sched.h: PF_KTHREAD is 0x200000; a page has 4 kilobytes. */
translator psinfo_t < struct task_struct *task > {
	pr_flag = task->flags & 0x200000 ? PR_ISSYS : 0;
	pr_nlwp = task->signal->nr_threads;
	pr_pid = task->tgid;
	pr_ppid = task->real_parent->tgid;
	pr_pgid = task->signal->pids[PIDTYPE_PGID]->numbers[0].nr;
	pr_sid = task->signal->pids[PIDTYPE_SID]->numbers[0].nr;
	pr_uid = task->cred->uid.val;
	pr_euid = task->cred->euid.val;
	pr_gid = task->cred->gid.val;
	pr_egid = task->cred->egid.val;
	pr_addr = (uintptr_t)task;
	pr_start = task->start_boottime;
	pr_size = task->mm == NULL ? 0 : task->mm->total_vm * 4;
	pr_argv = task->mm == NULL ? 0 : task->mm->arg_start;
	pr_envp = task->mm == NULL ? 0 : task->mm->env_start;
	pr_fname = task->comm;
	pr_wstat = task->exit_code;
	pr_dmodel = PR_MODEL_LP64;
};

/* The states of include/linux/sched.h: TASK_INTERRUPTIBLE 1, TASK_UNINTERRUPTIBLE 2, stopped 4, traced 8, ended 0xb0. */
translator lwpsinfo_t < struct task_struct *task > {
	pr_flag = task->flags & 0x200000 ? PR_ISSYS : 0;
	pr_lwpid = task->pid;
	pr_addr = (uintptr_t)task;
	pr_wchan = 0;
	pr_stype = 0;
	pr_state = task->__state & 0x3 ? SSLEEP : task->__state & 0xc ? SSTOP : task->__state & 0xb0 ? SZOMB :
	    task->__state & 0x300 ? SWAIT : SRUN;
	pr_sname = task->__state & 0x3 ? 'S' : task->__state & 0xc ? 'T' : task->__state & 0xb0 ? 'Z' :
	    task->__state & 0x300 ? 'W' : 'R';
	pr_nice = task->static_prio - 120;
	pr_pri = task->prio;
	pr_name = task->comm;
	pr_onpro = task->thread_info.cpu;
};

translator fileinfo_t < struct file *file > {
	fi_name = file == NULL ? "<none>" : stringof(file->f_path.dentry->d_name.name);
	fi_dirname = file == NULL ? "<none>" : dirname(d_path(&file->f_path));
	fi_pathname = file == NULL ? "<none>" : d_path(&file->f_path);
	fi_offset = file == NULL ? 0 : file->f_pos;
	fi_fs = file == NULL ? "<none>" : stringof(file->f_path.mnt->mnt_sb->s_type->name);
	fi_mount = file == NULL ? "<none>" : "<unknown>";
	fi_oflags = file == NULL ? 0 : file->f_flags;
};

/* include/linux/blk_types.h: the operation's lowest bit says that it writes, REQ_SYNC is 0x800. */
translator bufinfo_t < struct bio *bio > {
	b_flags = (bio->bi_opf & REQ_WRITE ? B_WRITE : B_READ) | (bio->bi_opf & REQ_SYNC ? 0 : B_ASYNC);
	b_bcount = bio->bi_iter.bi_size;
	b_bufsize = bio->bi_iter.bi_size;
	b_addr = 0;
	b_lblkno = bio->bi_iter.bi_sector;
	b_blkno = bio->bi_iter.bi_sector;
	b_resid = 0;
	b_error = 0;
	b_iodone = (uintptr_t)bio->bi_end_io;
	b_edev = bio->bi_bdev == NULL ? 0 : bio->bi_bdev->bd_dev;
};

translator devinfo_t < struct bio *bio > {
	dev_major = bio->bi_bdev == NULL ? 0 : getmajor(bio->bi_bdev->bd_dev);
	dev_minor = bio->bi_bdev == NULL ? 0 : getminor(bio->bi_bdev->bd_dev);
	dev_instance = 0;
	dev_name = bio->bi_bdev == NULL ? "nfs" : stringof(bio->bi_bdev->bd_disk->disk_name);
	dev_statname = bio->bi_bdev == NULL ? "nfs" : stringof(bio->bi_bdev->bd_device.kobj.name);
	dev_pathname = bio->bi_bdev == NULL ? "<nfs>" : strjoin("/dev/", stringof(bio->bi_bdev->bd_device.kobj.name));
};

translator pktinfo_t < struct sk_buff *packet > {
	pkt_addr = (uintptr_t)packet;
};

translator csinfo_t < struct sock *socket > {
	cs_addr = (uintptr_t)socket;
	cs_cid = socket->__sk_common.skc_cookie.counter;
};

translator ifinfo_t < struct net_device *device > {
	if_name = device == NULL ? "<unknown>" : stringof(device->name);
	if_addr = (uintptr_t)device;
	if_local = device == NULL;
	if_ipstack = device == NULL ? 0 : (uintptr_t)device->nd_net.net;
};

translator ipinfo_t < struct iphdr *header > {
	ip_ver = 4;
	ip_plength = header == NULL ? 0 : ntohs(header->tot_len) - ((*(uint8_t *)header & 0xf) << 2);
	ip_saddr = header == NULL ? "<unknown>" : inet_ntoa(&header->saddr);
	ip_daddr = header == NULL ? "<unknown>" : inet_ntoa(&header->daddr);
};

translator ipinfo_t < struct ipv6hdr *header > {
	ip_ver = 6;
	ip_plength = header == NULL ? 0 : ntohs(header->payload_len);
	ip_saddr = header == NULL ? "<unknown>" : inet_ntoa6(&header->saddr);
	ip_daddr = header == NULL ? "<unknown>" : inet_ntoa6(&header->daddr);
};

translator ipv4info_t < struct iphdr *header > {
	ipv4_ver = header == NULL ? 0 : 4;
	ipv4_ihl = header == NULL ? 0 : (*(uint8_t *)header & 0xf) << 2;
	ipv4_tos = header == NULL ? 0 : header->tos;
	ipv4_length = header == NULL ? 0 : ntohs(header->tot_len);
	ipv4_ident = header == NULL ? 0 : ntohs(header->id);
	ipv4_flags = header == NULL ? 0 : ntohs(header->frag_off) >> 12 & 0xe;
	ipv4_offset = header == NULL ? 0 : ntohs(header->frag_off) & 0x1fff;
	ipv4_ttl = header == NULL ? 0 : header->ttl;
	ipv4_protocol = header == NULL ? 0 : header->protocol;
	ipv4_checksum = header == NULL ? 0 : ntohs(header->check);
	ipv4_src = header == NULL ? 0 : header->saddr;
	ipv4_dst = header == NULL ? 0 : header->daddr;
	ipv4_saddr = header == NULL ? "<null>" : inet_ntoa(&header->saddr);
	ipv4_daddr = header == NULL ? "<null>" : inet_ntoa(&header->daddr);
	ipv4_hdr = header;
};

translator ipv6info_t < struct ipv6hdr *header > {
	ipv6_ver = header == NULL ? 0 : 6;
	ipv6_tclass = header == NULL ? 0 : (ntohl(*(uint32_t *)header) & 0x0fffffff) >> 20;
	ipv6_flow = header == NULL ? 0 : ntohl(*(uint32_t *)header) & 0x000fffff;
	ipv6_plen = header == NULL ? 0 : ntohs(header->payload_len);
	ipv6_nexthdr = header == NULL ? 0 : header->nexthdr;
	ipv6_hlim = header == NULL ? 0 : header->hop_limit;
	ipv6_saddr = header == NULL ? "<null>" : inet_ntoa6(&header->saddr);
	ipv6_daddr = header == NULL ? "<null>" : inet_ntoa6(&header->daddr);
	ipv6_src = header == NULL ? NULL : &header->saddr;
	ipv6_dst = header == NULL ? NULL : &header->daddr;
	ipv6_hdr = header;
};

translator tcpinfo_t < struct tcphdr *header > {
	tcp_sport = header == NULL ? 0 : ntohs(header->source);
	tcp_dport = header == NULL ? 0 : ntohs(header->dest);
	tcp_seq = header == NULL ? 0 : ntohl(header->seq);
	tcp_ack = header == NULL ? 0 : ntohl(header->ack_seq);
	tcp_offset = header == NULL ? 0 : (((uint8_t *)header)[12] & 0xf0) >> 2;
	tcp_flags = header == NULL ? 0 : ((uint8_t *)header)[13];
	tcp_window = header == NULL ? 0 : ntohs(header->window);
	tcp_checksum = header == NULL ? 0 : ntohs(header->check);
	tcp_urgent = header == NULL ? 0 : ntohs(header->urg_ptr);
	tcp_hdr = (uintptr_t)header;
};

translator tcpsinfo_t < struct tcp_sock *tcp > {
	tcps_addr = (uintptr_t)tcp;
	tcps_lport = tcp == NULL ? 0 : ((struct sock_common *)tcp)->skc_num;
	tcps_rport = tcp == NULL ? 0 : ntohs(((struct sock_common *)tcp)->skc_dport);
	tcps_laddr = tcp == NULL ? "<unknown>" : ((struct sock_common *)tcp)->skc_family == AF_INET6 ?
	    inet_ntoa6(&((struct sock_common *)tcp)->skc_v6_rcv_saddr) :
	    inet_ntoa(&((struct sock_common *)tcp)->skc_rcv_saddr);
	tcps_raddr = tcp == NULL ? "<unknown>" : ((struct sock_common *)tcp)->skc_family == AF_INET6 ?
	    inet_ntoa6(&((struct sock_common *)tcp)->skc_v6_daddr) :
	    inet_ntoa(&((struct sock_common *)tcp)->skc_daddr);
	tcps_state = tcp == NULL ? 0 : ((struct sock_common *)tcp)->skc_state;
	tcps_suna = tcp == NULL ? 0 : tcp->snd_una;
	tcps_snxt = tcp == NULL ? 0 : tcp->snd_nxt;
	tcps_rnxt = tcp == NULL ? 0 : tcp->rcv_nxt;
	tcps_swnd = tcp == NULL ? 0 : tcp->snd_wnd;
	tcps_snd_ws = tcp == NULL ? 0 : tcp->rx_opt.snd_wscale;
	tcps_rwnd = tcp == NULL ? 0 : tcp->rcv_wnd;
	tcps_rcv_ws = tcp == NULL ? 0 : tcp->rx_opt.rcv_wscale;
	tcps_cwnd = tcp == NULL ? 0 : tcp->snd_cwnd;
	tcps_cwnd_ssthresh = tcp == NULL ? 0 : tcp->snd_ssthresh;
	tcps_mss = tcp == NULL ? 0 : tcp->mss_cache;
	tcps_rtt = tcp == NULL ? 0 : tcp->srtt_us >> 3;
	tcps_rtt_sd = tcp == NULL ? 0 : tcp->mdev_us >> 2;
};

translator udpinfo_t < struct udphdr *header > {
	udp_sport = ntohs(header->source);
	udp_dport = ntohs(header->dest);
	udp_length = ntohs(header->len);
	udp_checksum = ntohs(header->check);
	udp_hdr = header;
};
