/* aiboxctl settings */
#include "ctl.h"
static int run_settings(struct ctl *ctl, int argc, char **argv)
{
    return ctl_only_arguments(ctl, argc, argv, 0, 2) ? CTL_YES : ctl->option_exit;
}
const struct ctl_command ctl_settings = {
    .name = "settings", .arguments = "", .summary = "", .help = "", .run = run_settings};
