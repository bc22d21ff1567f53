"""WaveRNN step by step, with everything multiplied out beforehand that the last sample does not change."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from avfake.vocoders.distributions import DISTRIBUTIONS, Distribution

if TYPE_CHECKING:
    from avfake.vocoders.wavernn import WaveRnnNetwork


class GruSteps:
    """The recurrent layers of a ``WaveRnnNetwork``, with the memory of some rows.

    The first layer is linear, and its output goes to both GRUs and to the layer after them: its product with
    each is one matrix. What the auxiliary features add to each layer is constant over a Mel frame and is
    multiplied once per frame. A step is left with the Mel, the sample, and what the two states say.

    Args:
        network: Whose weights to take.
        n_rows: Rows side by side.
        n_steps: Steps that are loaded at a time.
    """

    def __init__(self, network: "WaveRnnNetwork", n_rows: int, n_steps: int) -> None:
        device = network.I.weight.device
        rnn, fc, n_outputs = network.rnn1.hidden_size, network.fc1.out_features, network.fc3.out_features
        kind = DISTRIBUTIONS[network.config.output]
        self.distribution: Distribution = kind(n_outputs, n_rows, device)
        self.hop_length = network.hop_length
        self._take_weights(network)
        self.heard = torch.zeros(n_steps, n_rows, len(self.of_heard), device=device)
        self.added = torch.zeros(n_steps // self.hop_length, n_rows, self.of_aux.shape[1], device=device)
        sums = torch.zeros(n_rows, 6 * rnn + fc, device=device)
        self.cell1 = _Cell(network.rnn1, sums[:, : 3 * rnn])
        self.cell2 = _Cell(network.rnn2, sums[:, 3 * rnn : 6 * rnn])
        self.sums, self.into_cell2, self.hidden1 = sums, sums[:, 3 * rnn : 6 * rnn], sums[:, 6 * rnn :]
        self.states = torch.zeros(n_rows, rnn, device=device)
        self.hidden2 = torch.zeros(n_rows, fc, device=device)
        self.outputs = torch.zeros(n_rows, n_outputs, device=device)

    def _take_weights(self, network: "WaveRnnNetwork") -> None:
        rnn, fc, aux = network.rnn1.hidden_size, network.fc1.out_features, network.config.aux_channels // 4
        of_input1, of_input2 = network.rnn1.all_weights[0][0], network.rnn2.all_weights[0][0]
        first = torch.cat([_exact(w)[:, :rnn] for w in (of_input1, of_input2, network.fc1.weight)])
        product = first @ _exact(network.I.weight)
        n_sums = len(product)
        self.of_heard = _right(torch.cat([product[:, 1:-aux], product[:, :1]], dim=1))  # Mel, then sample
        of_aux = product.new_zeros(n_sums + fc, 4 * aux)
        of_aux[:n_sums, :aux] = product[:, -aux:]
        of_aux[3 * rnn : 6 * rnn, aux : 2 * aux] = _exact(of_input2)[:, rnn:]
        of_aux[6 * rnn : n_sums, 2 * aux : 3 * aux] = _exact(network.fc1.weight)[:, rnn:]
        of_aux[n_sums:, 3 * aux :] = _exact(network.fc2.weight)[:, fc:]
        self.of_aux = _right(of_aux)
        biases = torch.cat([_gate_bias(network.rnn1), _gate_bias(network.rnn2), _exact(network.fc1.bias)])
        biases += first @ _exact(network.I.bias)
        self.bias = torch.cat([biases, _exact(network.fc2.bias)]).float()
        self.of_state1 = _right(of_input2[:, :rnn])
        self.of_states = _right(network.fc1.weight[:, :rnn])
        self.of_hidden1 = _right(network.fc2.weight[:, :fc])
        self.of_hidden2, self.bias3 = _right(network.fc3.weight), network.fc3.bias.detach()

    def reset(self) -> None:
        """Forget everything that was heard."""
        self.cell1.state.zero_()
        self.cell2.state.zero_()

    def load(self, conditioning: Tensor) -> None:
        """Take the Mel and the auxiliary features of the next steps, [rows, features, steps]."""
        n_mels = self.heard.shape[2] - 1
        self.heard[..., :n_mels] = conditioning[:, :n_mels].permute(2, 0, 1)
        aux = conditioning[:, n_mels:, :: self.hop_length].permute(2, 0, 1)
        torch.matmul(aux.contiguous(), self.of_aux, out=self.added).add_(self.bias)

    def advance(self, step: int, sample: Tensor) -> Tensor:
        """Hear one sample of each row, [rows, 1]; outputs for the next, [rows, outputs]."""
        heard, added = self.heard[step], self.added[step // self.hop_length]
        n_sums = self.sums.shape[1]
        heard[:, -1:] = sample
        torch.addmm(added[:, :n_sums], heard, self.of_heard, out=self.sums)
        state1 = self.cell1.advance()
        self.into_cell2.addmm_(state1, self.of_state1)
        state2 = self.cell2.advance()
        torch.add(state1, state2, out=self.states)
        self.hidden1.addmm_(self.states, self.of_states).relu_()
        torch.addmm(added[:, n_sums:], self.hidden1, self.of_hidden1, out=self.hidden2).relu_()
        return torch.addmm(self.bias3, self.hidden2, self.of_hidden2, out=self.outputs)


class _Cell:
    """One GRU: ``advance`` takes what it hears from ``sums``, [rows, 3 * channels], and spoils it."""

    def __init__(self, gru: nn.GRU, sums: Tensor) -> None:
        channels = gru.hidden_size
        self.gates, self.heard = sums[:, : 2 * channels], sums[:, 2 * channels :]
        self.forget, self.keep = self.gates.chunk(2, dim=1)
        _, of_state, _, bias = gru.all_weights[0]
        self.of_gates, self.of_new = _right(of_state[: 2 * channels]), _right(of_state[2 * channels :])
        self.bias = bias[2 * channels :].detach()
        self.new, self.state = torch.zeros(2, len(sums), channels, device=sums.device)

    def advance(self) -> Tensor:
        """The next state, [rows, channels]."""
        self.gates.addmm_(self.state, self.of_gates).sigmoid_()
        torch.addmm(self.bias, self.state, self.of_new, out=self.new)
        torch.addcmul(self.heard, self.forget, self.new, out=self.new).tanh_()
        return torch.lerp(self.new, self.state, self.keep, out=self.state)


def _gate_bias(gru: nn.GRU) -> Tensor:
    """What is added before the gates; the recurrent bias of the new state is not, as a gate acts on it."""
    _, _, of_input, recurrent = (_exact(weight) for weight in gru.all_weights[0])
    recurrent[2 * gru.hidden_size :] = 0
    return of_input + recurrent


def _exact(weight: Tensor) -> Tensor:
    """A copy in double precision, so that products of weights cost no exactness."""
    return weight.detach().double()


def _right(weight: Tensor) -> Tensor:
    """A weight, [out, in], as the right factor of a product with rows."""
    return weight.detach().T.float().contiguous()
