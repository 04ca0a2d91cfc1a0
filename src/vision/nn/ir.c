#include "vision/nn/ir.h"

#include <stdlib.h>

void nn_network_free(struct nn_network *net)
{
    for (size_t i = 0; i < net->n_ops; i++) {
        free(net->op[i].weights);
        free(net->op[i].bias);
    }
    free(net->op);
    free(net->in);
    *net = (struct nn_network){.input = NN_NO_VALUE};
}

void nn_plan_free(struct nn_plan *plan)
{
    free(plan->place);
    free(plan->computes);
    *plan = (struct nn_plan){0};
}

bool nn_is_depthwise(const struct nn_network *net, const struct nn_op *op)
{
    return op->kind == NN_CONVOLUTION && op->groups > 1 && op->groups == op->c && nn_in(net, op, 0)->c == op->c;
}

bool nn_is_global_depthwise(const struct nn_network *net, const struct nn_op *op)
{
    const struct nn_window *win = &op->window;
    const struct nn_op *in;

    if (!nn_is_depthwise(net, op))
        return false;
    in = nn_in(net, op, 0);
    return win->kernel_h == in->h && win->kernel_w == in->w && win->dilation_h == 1 && win->dilation_w == 1 &&
           win->top + win->right + win->bottom + win->left == 0;
}

uint64_t nn_count_macs(const struct nn_network *net)
{
    uint64_t macs = 0;

    /* No single term overflows: tensors and windows are bounded; the sum stops at the bound. */
    for (size_t i = 0; i < net->n_ops && macs <= NN_MAX_MACS; i++) {
        const struct nn_op *op = &net->op[i];
        uint64_t results = (uint64_t)nn_places(op) * op->c;
        if (op->kind == NN_CONVOLUTION)
            macs += results * (op->window.kernel_h * op->window.kernel_w) * (nn_in(net, op, 0)->c / op->groups);
        else if (op->kind == NN_MAX_POOL || op->kind == NN_AVERAGE_POOL)
            macs += results * (op->window.kernel_h * op->window.kernel_w);
        else if (op->kind != NN_INPUT && op->kind != NN_CONSTANT)
            macs += results;
    }
    return macs;
}
