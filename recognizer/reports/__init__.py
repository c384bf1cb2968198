"""Reports that show: pages of HTML of one file each, with pictures, sounds and curves inside."""
