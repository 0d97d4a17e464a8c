package dev.stapes.linux.btrfs;

/**
 * Numbers of the kernel's Btrfs interface under their C names (linux/btrfs.h, linux/btrfs_tree.h);
 * the same on every architecture. A test compiles a C program that prints them and compares.
 */
final class Abi {
  static final int BTRFS_IOC_RESIZE = 0x50009403;
  static final int BTRFS_IOC_SYNC = 0x9408;
  static final int BTRFS_IOC_SNAP_DESTROY = 0x5000940f;
  static final int BTRFS_IOC_TREE_SEARCH = 0xd0009411;
  static final int BTRFS_IOC_INO_LOOKUP = 0xd0009412;
  static final int BTRFS_IOC_SNAP_CREATE_V2 = 0x50009417;
  static final int BTRFS_IOC_SUBVOL_CREATE_V2 = 0x50009418;
  static final int BTRFS_IOC_SUBVOL_GETFLAGS = 0x80089419;
  static final int BTRFS_IOC_SUBVOL_SETFLAGS = 0x4008941a;
  static final int BTRFS_IOC_SET_RECEIVED_SUBVOL = 0xc0c89425;
  static final int BTRFS_IOC_SEND = 0x40489426;
  static final int BTRFS_IOC_QUOTA_CTL = 0xc0109428;
  static final int BTRFS_IOC_QGROUP_CREATE = 0x4010942a;
  static final int BTRFS_IOC_QGROUP_LIMIT = 0x8030942b;
  static final int BTRFS_IOC_QUOTA_RESCAN = 0x4040942c;
  static final int BTRFS_IOC_QUOTA_RESCAN_WAIT = 0x942e;
  static final int BTRFS_IOC_GET_SUBVOL_INFO = 0x81f8943c;

  static final long BTRFS_SUBVOL_RDONLY = 1 << 1;
  static final long BTRFS_FIRST_FREE_OBJECTID = 256;

  static final int btrfs_ioctl_vol_args_SIZEOF = 4096;
  static final int btrfs_ioctl_vol_args_fd = 0;
  static final int btrfs_ioctl_vol_args_name = 8;

  static final int btrfs_ioctl_vol_args_v2_SIZEOF = 4096;
  static final int btrfs_ioctl_vol_args_v2_fd = 0;
  static final int btrfs_ioctl_vol_args_v2_flags = 16;
  static final int btrfs_ioctl_vol_args_v2_name = 56;

  static final int btrfs_ioctl_ino_lookup_args_SIZEOF = 4096;
  static final int btrfs_ioctl_ino_lookup_args_treeid = 0;
  static final int btrfs_ioctl_ino_lookup_args_objectid = 8;

  static final int btrfs_ioctl_get_subvol_info_args_SIZEOF = 504;
  static final int btrfs_ioctl_get_subvol_info_args_treeid = 0;
  static final int btrfs_ioctl_get_subvol_info_args_parent_id = 264;
  static final int btrfs_ioctl_get_subvol_info_args_flags = 288;
  static final int btrfs_ioctl_get_subvol_info_args_uuid = 296;
  static final int btrfs_ioctl_get_subvol_info_args_parent_uuid = 312;
  static final int btrfs_ioctl_get_subvol_info_args_received_uuid = 328;
  static final int btrfs_ioctl_get_subvol_info_args_ctransid = 344;
  static final int btrfs_ioctl_get_subvol_info_args_stransid = 360;

  static final int btrfs_ioctl_search_args_SIZEOF = 4096;
  static final int btrfs_ioctl_search_args_buf = 104;
  static final int btrfs_ioctl_search_key_tree_id = 0;
  static final int btrfs_ioctl_search_key_min_objectid = 8;
  static final int btrfs_ioctl_search_key_max_objectid = 16;
  static final int btrfs_ioctl_search_key_min_offset = 24;
  static final int btrfs_ioctl_search_key_max_offset = 32;
  static final int btrfs_ioctl_search_key_min_transid = 40;
  static final int btrfs_ioctl_search_key_max_transid = 48;
  static final int btrfs_ioctl_search_key_min_type = 56;
  static final int btrfs_ioctl_search_key_max_type = 60;
  static final int btrfs_ioctl_search_key_nr_items = 64;
  static final int btrfs_ioctl_search_header_SIZEOF = 32;
  static final int btrfs_ioctl_search_header_objectid = 8;
  static final int btrfs_ioctl_search_header_offset = 16;
  static final int btrfs_ioctl_search_header_type = 24;
  static final int btrfs_ioctl_search_header_len = 28;

  static final long BTRFS_ROOT_TREE_OBJECTID = 1;
  static final long BTRFS_QUOTA_TREE_OBJECTID = 8;
  static final long BTRFS_ORPHAN_OBJECTID = -5;
  static final int BTRFS_ORPHAN_ITEM_KEY = 48;
  static final int BTRFS_ROOT_ITEM_KEY = 132;
  static final int BTRFS_ROOT_REF_KEY = 156;
  static final int BTRFS_QGROUP_STATUS_KEY = 240;
  static final int BTRFS_QGROUP_INFO_KEY = 242;

  static final int QGROUP_LEVEL_SHIFT = 48;

  static final int btrfs_root_ref_dirid = 0;
  static final int btrfs_root_ref_name_len = 16;
  static final int btrfs_root_ref_SIZEOF = 18;
  static final int btrfs_qgroup_info_item_rfer = 8;
  static final int btrfs_qgroup_status_item_flags = 16;
  static final long BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT = 1 << 2;
  static final long BTRFS_QGROUP_LIMIT_MAX_RFER = 1;

  static final int btrfs_ioctl_quota_ctl_args_SIZEOF = 16;
  static final int btrfs_ioctl_quota_ctl_args_cmd = 0;
  static final long BTRFS_QUOTA_CTL_ENABLE = 1;
  static final int btrfs_ioctl_quota_rescan_args_SIZEOF = 64;
  static final int btrfs_ioctl_qgroup_create_args_SIZEOF = 16;
  static final int btrfs_ioctl_qgroup_create_args_create = 0;
  static final int btrfs_ioctl_qgroup_create_args_qgroupid = 8;
  static final int btrfs_ioctl_qgroup_limit_args_SIZEOF = 48;
  static final int btrfs_ioctl_qgroup_limit_args_qgroupid = 0;
  static final int btrfs_ioctl_qgroup_limit_args_lim_flags = 8;
  static final int btrfs_ioctl_qgroup_limit_args_lim_max_rfer = 16;

  static final int btrfs_ioctl_send_args_SIZEOF = 72;
  static final int btrfs_ioctl_send_args_send_fd = 0;
  static final int btrfs_ioctl_send_args_parent_root = 24;
  static final int btrfs_ioctl_received_subvol_args_SIZEOF = 200;
  static final int btrfs_ioctl_received_subvol_args_uuid = 0;
  static final int btrfs_ioctl_received_subvol_args_stransid = 16;

  static final int FICLONERANGE = 0x4020940d;
  static final int file_clone_range_SIZEOF = 32;
  static final int file_clone_range_src_fd = 0;
  static final int file_clone_range_src_offset = 8;
  static final int file_clone_range_src_length = 16;
  static final int file_clone_range_dest_offset = 24;

  private Abi() {}
}
