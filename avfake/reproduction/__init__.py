"""The paper's experiments as recipes: what each needs, what it trains, and its numbers beside the paper's."""
