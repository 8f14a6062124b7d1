"""What an operator writes: pages, posts, questions, giveaways, incidents; and what visitors write to the operator.

Ordinary Django: no money, order, key or provider is touched here.
"""
